"""What the tasks of prices are given."""

import msgspec


class FollowPrices(msgspec.Struct):
    """A change of prices whose consequences are due; the outbox names its products."""

    change_id: str


class GatherNotifications(msgspec.Struct):
    """A channel with notifications that are due: `slack`, or the id of a rule with a webhook."""

    channel: str


class SendNotifications(msgspec.Struct):
    """Notifications of one channel that are one message."""

    ids: list[str]


class RecordPrices(msgspec.Struct):
    """A commit of products with other prices; the outbox names them."""

    change_id: str
