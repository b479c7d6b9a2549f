"""Draws why the matcher takes two demo offers for one product: `python -m tools.draw_match`."""

import sys
from html import escape
from pathlib import Path
from typing import Final

from shared.products.matching import DefaultMatcher, Match, Offer
from tools.train_default_model import demo_offers

WHERE: Final = Path(__file__).resolve().parents[1] / "docs" / "matching-pair.svg"
_WIDTH: Final = 820
_TOP: Final = 118
_ROW: Final = 26
_ZERO: Final = 400
_STEP: Final = 2.4
_COLOURS: Final = {"agrees": "#2a7f4f", "differs": "#b3403a", "missing": "#9a9a9a"}
_TELLING: Final = range(80, 97)
_INK: Final = "#222222"


def judged() -> tuple[Offer, Offer, Match]:
    """The first demo offer whose surest partner neither is beyond doubt nor lacks a rival."""
    offers = demo_offers()
    matcher = DefaultMatcher()
    keys = [frozenset(matcher.keys(offer)) for offer in offers]
    for offer, own in zip(offers, keys, strict=True):
        others = [other for other, theirs in zip(offers, keys, strict=True) if own & theirs][:40]
        found = matcher.judge(offer, [other for other in others if other.id != offer.id])
        best = max(found, key=lambda pid: (found[pid].confidence, pid), default=None)
        if best is not None and found[best].confidence in _TELLING:
            return offer, next(other for other in others if other.id == best), found[best]
    raise LookupError("every demo offer is beyond doubt")


def drawing(a: Offer, b: Offer, match: Match) -> str:
    """The pair and its evidence as SVG: one bar per field, from 50 to the confidence."""
    rows = [e for e in match.evidence if e.weight or e.verdict != "missing"]
    height = _TOP + _ROW * (len(rows) + 1) + 16
    canvas = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {canvas}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 26, _described(a), bold=True),
        _text(16, 48, _described(b), bold=True),
        _text(16, 82, "Every comparison begins at 50; each field adds or takes its points."),
        f'<line x1="{_ZERO}" y1="{_TOP - 12}" x2="{_ZERO}" y2="{height - 40}" stroke="#cccccc"/>',
    ]
    for at, piece in enumerate(rows):
        y = _TOP + _ROW * at
        lines.append(_text(16, y + 4, f"{piece.field}: {piece.detail}"[:48]))
        width = abs(piece.weight) * _STEP
        x = _ZERO - width if piece.weight < 0 else _ZERO
        colour = _COLOURS[piece.verdict]
        lines.append(
            f'<rect x="{x:.1f}" y="{y - 8}" width="{width:.1f}" height="14" fill="{colour}"/>'
        )
        after = x - 34 if piece.weight < 0 else x + width + 6
        lines.append(_text(round(after), y + 4, f"{piece.weight:+d}"))
    total = f"50 + {sum(e.weight for e in rows)} = {match.confidence}"
    lines.append(_text(16, _TOP + _ROW * len(rows) + 10, f"confidence: {total}", bold=True))
    return "\n".join([*lines, "</svg>", ""])


def main() -> int:
    """Writes the picture."""
    WHERE.write_text(drawing(*judged()), encoding="utf-8")
    print(WHERE.name)
    return 0


def _described(offer: Offer) -> str:
    price = f"{offer.currency} {offer.price_minor / 100:.2f}"
    return f"{offer.retailer}: {offer.brand} {offer.name}, {offer.size or 'no size'}, {price}"


def _text(x: int, y: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="{_INK}"{weight}>{escape(text)}</text>'


if __name__ == "__main__":
    sys.exit(main())
