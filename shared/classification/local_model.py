"""Which category a text belongs to: by what it means and how it is worded.

Each category is told by its name and at most ten synonyms: what a text means beside those is the
prior. Texts whose category is known correct it, and so, where few are, do texts of unknown category
by what is itself believed of them.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from shared.classification import fitting
from shared.classification.models import Categories, Choice, Example, Verdict
from shared.classification.synonyms import synonyms_of
from shared.classification.wording import Wording, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Embed = Callable[[Sequence[str]], Floats]

# More would take minutes, and more memory than a function has.
MOST_EXAMPLES: Final = 3000
# Texts of unknown category help where few are known, and cost as much as those.
MOST_TEXTS: Final = 1500
MOST_CONFIDENCE: Final = 99
_TEMPLATES: Final = (
    "{}",
    "a product from the {} department",
    "{} product in a supermarket",
    "{}: groceries",
    "this is {}",
)
_NAME_SHARE: Final = 0.2
# How sharply the best of a category's synonyms stands for it.
_SYNONYM_HEAT: Final = 0.03
_PRIOR_HEAT: Final = 0.06
# Of the likeness of two texts; the rest is wording, by words and by parts of words alike.
_MEANING_SHARE: Final = 0.2


class Learned(NamedTuple):
    """What a model has learned: of each text how it is worded and how it pulls.

    The first `known` texts are those whose category is known; `alone` is of the others.
    """

    texts: list[str]
    known: int
    wording: Wording
    fit: fitting.Fit


class LocalModel:
    """What is known of some categories; cheap to ask, and thread-safe once it is made.

    `embed` gives each text a vector of length 1 by its meaning. Where `learned` is told by a model
    of the same categories, nothing is learned anew.
    """

    def __init__(  # noqa: PLR0913 - what there is to know, of what, and how
        self,
        categories: Categories,
        examples: Sequence[Example],
        texts: Sequence[str] = (),
        *,
        embed: "Embed",
        with_synonyms: bool = True,
        learned: Learned | None = None,
    ) -> None:
        self._ids = [choice.id for choice in categories.choices]
        self._embed = embed
        self._synonyms = with_synonyms
        self._told = [self._prototypes(choice) for choice in categories.choices]
        known = examples[:MOST_EXAMPLES]
        labelled = {example.text.casefold() for example in known}
        others = [text for text in dict.fromkeys(texts) if text.casefold() not in labelled]
        others = others[: max(0, MOST_TEXTS - len(known))]
        self.learned = learned
        if learned is not None:
            self._read(learned)
        elif known or others:
            self._learn(known, others)

    def classify(self, text: str) -> Verdict:
        """The most likely category; with confidence 0 where the text has no word."""
        return self.classify_all([text])[0]

    def classify_all(self, texts: Sequence[str]) -> list[Verdict]:
        """The most likely category of each text."""
        return [
            self._verdict(text, shares)
            for text, shares in zip(texts, self._likely(texts), strict=True)
        ]

    def _verdict(self, text: str, shares: "Floats") -> Verdict:
        best = int(shares.argmax())
        if not any(words(text)):
            return Verdict(self._ids[0], 0, "Nothing in the text is known.")
        sure = float(shares[best])
        if self.learned is not None:
            sure = self.learned.fit.sure(sure)
        confidence = min(MOST_CONFIDENCE, round(100 * sure))
        name = self._ids[best]
        return Verdict(name, confidence, f"Most like what is filed under {name}.")

    def _likely(self, texts: Sequence[str]) -> "Floats":
        """How likely each category is for each text."""
        meant = self._embed(texts)
        prior = self._prior(meant)
        if self.learned is None:
            return prior
        _, _, wording, fit = self.learned
        scores = fit.scores(self._likeness(texts, meant, wording), prior)
        for row, text in enumerate(texts):
            if (place := self._places.get(text.casefold())) is not None:
                # What is believed of it already would make it believe itself.
                scores[row] = fit.alone[place]
        return fit.shares(scores)

    def _prototypes(self, choice: Choice) -> "tuple[Floats, Floats]":
        """What the name means, and what each of the synonyms does."""
        sentences, synonyms = _told_by(choice)
        told = synonyms if self._synonyms else []
        return _unit(self._embed(sentences).mean(axis=0)), self._embed(told)

    def _prior(self, meant: "Floats") -> "Floats":
        """How likely each category is, by names and synonyms alone."""
        columns = []
        for name, synonyms in self._told:
            by_name = meant @ name
            by_synonyms = _soft_best(meant @ synonyms.T) if len(synonyms) else by_name
            columns.append(_NAME_SHARE * by_name + (1 - _NAME_SHARE) * by_synonyms)
        return fitting.shares(np.stack(columns, axis=1) / _PRIOR_HEAT)

    def _likeness(self, texts: Sequence[str], meant: "Floats", wording: Wording) -> "Floats":
        """Of each text to each that was learned from."""
        worded = np.stack([wording.likeness(text) for text in texts])
        meaning = _unit(meant - self._middle) @ self._meant.T
        likeness: Floats = _MEANING_SHARE * meaning + (1 - _MEANING_SHARE) / 2 * worded
        return likeness

    def _learn(self, known: Sequence[Example], others: Sequence[str]) -> None:
        texts = [*(example.text for example in known), *others]
        meant, wording = self._meanings(texts), Wording.of(texts)
        places = {name: place for place, name in enumerate(self._ids)}
        truth = np.eye(len(places), dtype=np.float32)[[places[each.category] for each in known]]
        fit = fitting.fit(self._likeness(texts, meant, wording), self._prior(meant), truth)
        # Who is known is never asked what the others say of him.
        fit = fit._replace(alone=fit.alone[len(known) :])
        self._read(Learned(texts, len(known), wording, fit))

    def _read(self, learned: Learned) -> None:
        texts, known, _, _ = self.learned = learned
        self._meanings(texts)
        self._places = {text.casefold(): place for place, text in enumerate(texts[known:])}

    def _meanings(self, texts: Sequence[str]) -> "Floats":
        meant = self._embed(texts)
        self._middle = meant.mean(axis=0)
        self._meant = _unit(meant - self._middle)
        return meant


def texts_of(categories: Categories) -> list[str]:
    """The texts that tell the categories themselves."""
    return [text for choice in categories.choices for texts in _told_by(choice) for text in texts]


def _told_by(choice: Choice) -> tuple[list[str], list[str]]:
    own = choice.path[-1]
    spoken = own.replace("_", " ")
    return [template.format(spoken) for template in _TEMPLATES], synonyms_of(own)


def _soft_best(likeness: "Floats") -> "Floats":
    best = likeness.max(axis=1, keepdims=True)
    spread = np.exp((likeness - best) / _SYNONYM_HEAT).mean(axis=1)
    found: Floats = best[:, 0] + _SYNONYM_HEAT * np.log(spread)
    return found


def _unit(rows: "Floats") -> "Floats":
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    found: Floats = rows / np.maximum(lengths, 1e-9)
    return found
