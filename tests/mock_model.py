"""A model whose answers depend on each product's text alone, unless a text makes it misbehave.

The text is all that it is shown of a product, as it stands: nothing of the code under test has a
part in it, so that whatever takes two products for one has to be right by the model's measure.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from shared.classification.models import Categories, Choice
from shared.clients.ai.asking import Patience, Question, Reply

CATEGORIES: Final = Categories(tuple(Choice(f"c{n:02d}", (f"Category {n}",)) for n in range(16)))
INPUT_TOKENS, OUTPUT_TOKENS = 100, 20

Row = dict[str, Any]
# Takes the rows of an honest answer and the place of the product that it obeys.
Misbehaviour = Callable[[list[Row], int], list[Row]]


def shown(*texts: str) -> str:
    """The text of a product: name, brand, size, description and price, those that there are."""
    return "\n".join(texts)


def category_of(text: str) -> str:
    """By every character of what is shown."""
    digest = sha256(text.encode()).digest()
    return CATEGORIES.choices[digest[0] % len(CATEGORIES.choices)].id


@dataclass
class MockModel:
    """Obeys the texts in `obeyed`, wherever of a product; `asked` are the names of each call."""

    obeyed: Mapping[str, Misbehaviour] = field(default_factory=dict)
    category: Callable[[str], str] = category_of
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self, question: Question, model: str, patience: Patience) -> Reply:  # noqa: ARG002
        return Reply(self.answer(question.user), INPUT_TOKENS, OUTPUT_TOKENS)

    def answer(self, prompt: str) -> str:
        """What it says to the user's part of a prompt."""
        lines = [json.loads(line) for line in prompt.split("\n")[1:-1]]
        names = [line["name"] for line in lines]
        self.asked.append(names)
        rows = [self._row(line) for line in lines]
        for place, line in enumerate(lines):
            for text in self.obeyed.keys() & line.values():
                rows = self.obeyed[text](rows, place)
        if prompt.startswith("<products>"):
            return json.dumps({"products": rows})
        # Whoever obeys does so with one product, too.
        return json.dumps(rows[0] if len(rows) == 1 else rows)

    def _row(self, line: Mapping[str, str]) -> Row:
        told = {name: line[name] for name in ("mark", "begins") if name in line}
        category = self.category(shown(*(line[name] for name in line if name not in told)))
        return {**told, "category": category, "confidence": 90, "rationale": "So."}
