"""Which items go together in one call: as many as its budget of tokens allows, and no odd one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from shared.classification import prompts, steering
from shared.classification.models import Item

MOST_IN_CALL: Final = 20
# Of the products' text; the instructions and the categories come once for all of them.
MOST_TEXT_TOKENS: Final = 2000
# So many calls are filled at a time: names that all begin alike would open one each.
MOST_OPEN: Final = 50
# Of a text in UTF-8; words of other scripts take more tokens, and more bytes too.
_BYTES_PER_TOKEN: Final = 3


def portions(items: Mapping[int, Item], most: int = MOST_IN_CALL) -> list[list[int]]:
    """The indexes of each call, in the items' order; an item that looks odd has its own.

    No two of one call begin with the same words: an answer could not show which it means.
    """
    alone = [i for i, item in items.items() if most == 1 or steering.suspicion(item) != "none"]
    apart = set(alone)
    together = list(_packed({i: item for i, item in items.items() if i not in apart}, most))
    return sorted([*together, *([index] for index in alone)])


def _packed(items: Mapping[int, Item], most: int) -> Iterator[list[int]]:
    open_ones: list[_Portion] = []
    for index, item in items.items():
        beginning, tokens = prompts.beginning(item), _tokens(item)
        for portion in open_ones:
            if portion.takes(beginning, tokens, most):
                portion.add(index, beginning, tokens)
                break
        else:
            open_ones.append(_Portion(index, beginning, tokens))
            if len(open_ones) > MOST_OPEN:
                yield open_ones.pop(0).indexes
        full = [each for each in open_ones if len(each.indexes) >= most]
        yield from (each.indexes for each in full)
        open_ones = [each for each in open_ones if len(each.indexes) < most]
    yield from (each.indexes for each in open_ones)


class _Portion:
    def __init__(self, index: int, beginning: Sequence[str], tokens: int) -> None:
        self.indexes = [index]
        self._beginnings = {tuple(beginning)}
        self._tokens = tokens

    def takes(self, beginning: Sequence[str], tokens: int, most: int) -> bool:
        fits = len(self.indexes) < most and self._tokens + tokens <= MOST_TEXT_TOKENS
        return fits and tuple(beginning) not in self._beginnings

    def add(self, index: int, beginning: Sequence[str], tokens: int) -> None:
        self.indexes.append(index)
        self._beginnings.add(tuple(beginning))
        self._tokens += tokens


def _tokens(item: Item) -> int:
    return len(prompts.data(item, prompts.MOST_DESCRIPTION_OF_SEVERAL)) // _BYTES_PER_TOKEN
