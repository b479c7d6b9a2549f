"""The weekly report in words."""

from msgspec.structs import replace

from shared.clients.slack import escape
from shared.system.weekly_text import Count, Figures, Level, Mover, text

EMPTY = Figures(0, {}, [], [], None, Count(0), Count(0), Count(0), Count(0))
FULL = Figures(
    total=1210,
    by_retailer={"keells": 700, "cargills": 510},
    movers=[Mover("Tea <100 g>", "keells", 12.5), Mover("Rice & more", "cargills", -8.0)],
    levels=[Level("keells", 101.5, 40), Level("cargills", 98.2, 40)],
    covered_percent=87.5,
    open_requests=Count(3),
    pending_proposals=Count(1000, is_minimum=True),
    dead_letters=Count(0),
    active_users=Count(4),
)


def test_a_week_with_all_figures() -> None:
    before = replace(FULL, total=1200, by_retailer={"keells": 690})
    assert text("2026-W47", FULL, before, escape, again=False).splitlines() == [
        "*Shopple: week 2026-W47*",
        "Catalogue: 1,210 products (+10 in a week)",
        "By retailer: keells 700 (+10), cargills 510 (+510)",
        "Largest moves: Tea &lt;100 g&gt; at keells +12.5 %; Rice &amp; more at cargills -8 %",
        "Price level (100 is usual): cargills 98.2, keells 101.5",
        "With a price of the last seven days: 87.5 %",
        "Waiting: 3 product requests, 1,000+ proposals, 0 dead letters",
        "Active users: 4",
    ]


def test_the_first_week_of_an_empty_catalogue() -> None:
    assert text("2026-W01", EMPTY, None, escape, again=False).splitlines() == [
        "*Shopple: week 2026-W01*",
        "Catalogue: 0 products",
        "Waiting: 0 product requests, 0 proposals, 0 dead letters",
        "Active users: 0",
    ]


def test_what_may_be_a_repetition_says_so() -> None:
    assert "Sent again" in text("2026-W01", EMPTY, None, escape, again=True)
