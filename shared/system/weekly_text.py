"""The weekly report in words, as Slack shows them."""

from collections.abc import Callable
from typing import Final

import msgspec

SHOWN_MOVERS: Final = 3
SHOWN_RETAILERS: Final = 8


class Count(msgspec.Struct, frozen=True):
    """A number of things, or the least that there are."""

    number: int
    is_minimum: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.is_minimum else ''}"


class Mover(msgspec.Struct, frozen=True):
    """A product whose price moved within a week."""

    name: str
    retailer: str
    change_percent: float


class Level(msgspec.Struct, frozen=True):
    """A retailer's price level on matched products (100 is usual), and how many those are."""

    retailer: str
    index: float
    products: int


class Figures(msgspec.Struct, frozen=True):
    """What there is to say of a week; figures of prices are absent before the first price."""

    total: int
    by_retailer: dict[str, int]
    movers: list[Mover]
    levels: list[Level]
    covered_percent: float | None
    open_requests: Count
    pending_proposals: Count
    dead_letters: Count
    active_users: Count


def text(
    week: str, now: Figures, before: Figures | None, escape: Callable[[str], str], *, again: bool
) -> str:
    """The message; `again` says that an earlier one may have been sent already."""
    lines = [f"*Shopple: week {week}*"]
    if again:
        lines.append("_Sent again: the first attempt ended before it was recorded._")
    lines.append(f"Catalogue: {now.total:,} products{_change(now.total, before)}")
    if changed := _retailers(now, before, escape):
        lines.append(f"By retailer: {changed}")
    if now.movers:
        lines.append("Largest moves: " + "; ".join(_mover(each, escape) for each in now.movers))
    if now.levels:
        shown = sorted(now.levels, key=lambda each: (each.index, each.retailer))[:SHOWN_RETAILERS]
        told = ", ".join(f"{escape(each.retailer)} {each.index:g}" for each in shown)
        lines.append(f"Price level (100 is usual): {told}")
    if now.covered_percent is not None:
        lines.append(f"With a price of the last seven days: {now.covered_percent:g} %")
    lines.append(
        f"Waiting: {now.open_requests} product requests, {now.pending_proposals} proposals, "
        f"{now.dead_letters} dead letters"
    )
    lines.append(f"Active users: {now.active_users}")
    return "\n".join(lines)


def _change(total: int, before: Figures | None) -> str:
    return "" if before is None else f" ({total - before.total:+,} in a week)"


def _retailers(now: Figures, before: Figures | None, escape: Callable[[str], str]) -> str:
    largest = sorted(now.by_retailer.items(), key=lambda item: (-item[1], item[0]))
    told = []
    for name, total in largest[:SHOWN_RETAILERS]:
        moved = total - before.by_retailer.get(name, 0) if before else 0
        told.append(f"{escape(name)} {total:,}" + (f" ({moved:+,})" if moved else ""))
    return ", ".join(told)


def _mover(mover: Mover, escape: Callable[[str], str]) -> str:
    return f"{escape(mover.name)} at {escape(mover.retailer)} {mover.change_percent:+g} %"
