"""What the tasks of prices are given."""

import msgspec


class FollowPrices(msgspec.Struct):
    """A change of prices whose consequences are due; the outbox names its products."""

    change_id: str


class RecordPrices(msgspec.Struct):
    """A commit of products with other prices; the outbox names them."""

    change_id: str
