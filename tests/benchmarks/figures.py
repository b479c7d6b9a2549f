"""Measured figures with what they aim at, as a table and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; None where it could not be measured, `note` saying why."""

    name: str
    value: float | None
    unit: str
    aim: str = ""
    note: str = ""

    @property
    def short(self) -> bool:
        """Whether the value misses its aim: `<= 2.5`, `>= 2.5`, or the value itself."""
        if self.value is None or not self.aim:
            return False
        sign, _, bound = self.aim.rpartition(" ")
        if sign == "<=":
            return self.value > float(bound)
        if sign == ">=":
            return self.value < float(bound)
        return self.value != float(bound)

    def line(self) -> str:
        """The figure as a row of the table."""
        value = "not measured" if self.value is None else f"{self.value:.3g}"
        verdict = "short of its aim" if self.short else ""
        row = f"{self.name:<38} {value:>12} {self.unit:<16} {self.aim:<8} {verdict} {self.note}"
        return row.rstrip()


def write(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures that were measured, each under its own name."""
    found = {
        each.name: {"value": round(each.value, 3), "unit": each.unit, "aim": each.aim}
        for each in figures
        if each.value is not None
    }
    path.write_text(json.dumps(found, indent=2) + "\n")
