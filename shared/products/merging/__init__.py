"""Merging offers into groups, and taking them apart again: rules alone, without I/O or clock."""

from shared.products.merging.fields import merged
from shared.products.merging.groups import (
    MOST_OFFERS,
    Action,
    Change,
    Entry,
    Group,
    Member,
    Merge,
    Place,
    TooManyOffers,
    crossing,
    leave,
    merge,
    places,
    unmerge,
)

__all__ = [
    "MOST_OFFERS",
    "Action",
    "Change",
    "Entry",
    "Group",
    "Member",
    "Merge",
    "Place",
    "TooManyOffers",
    "crossing",
    "leave",
    "merge",
    "merged",
    "places",
    "unmerge",
]
