"""What the tasks of prices are given."""

import msgspec

from shared.products.price_changes import Changed, Source


class FollowPrices(msgspec.Struct):
    """A change of prices whose consequences are due; the outbox names its products."""

    change_id: str


class GatherNotifications(msgspec.Struct):
    """A channel with notifications that are due: `slack`, or the id of a rule with a webhook."""

    channel: str


class SendNotifications(msgspec.Struct):
    """Notifications of one channel that are one message."""

    ids: list[str]


class RecordPrices(msgspec.Struct, omit_defaults=True):
    """A commit of products that prices have to know of; the outbox names them.

    With `changes` it is a dead letter's: those found no place in their histories then.
    """

    change_id: str
    source: Source = "manual"
    changes: list[Changed] = []
