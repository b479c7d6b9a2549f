from hypothesis import given
from hypothesis import strategies as st

from shared.products.matching import Offer, quantity, terms
from shared.products.matching.reading import all_name_terms, name_terms, read
from shared.products.matching.text import fold, normalise
from shared.products.matching.words import stated_quantity

_WORDS = ("rice", "1", "400", "0.5", "x", "ג", "קג", "g", "kg", "mlx4", "clx", "4x100", "1/2", "gb")
_OTHERS = ("A52s-128", "1,000", "5'6\"", ".5", "Ünü", "\u00d7", "חלב500", "12345", "\uff13", "s")
_TEXTS = st.builds(
    lambda space, words: space.join(words),
    st.sampled_from([" ", "  ", "-", ", ", "\t", "\x1f", "\0"]),
    st.lists(st.one_of(st.sampled_from(_WORDS + _OTHERS), st.text(max_size=4)), max_size=9),
)


@given(_TEXTS)
def test_a_text_read_in_parts_says_what_it_says_as_a_whole(text: str) -> None:
    assert terms.terms(text) == terms._measured(normalise(text))
    assert terms.codes(text) == tuple(dict.fromkeys(terms._codes(fold(text))))
    sizes = quantity._quantities(fold(text))
    weighed = [size for size in sizes if size.dimension != "count"]
    assert quantity.quantity(text) == next(iter((*weighed, *sizes)), None)


@given(st.lists(st.tuples(_TEXTS, st.sampled_from(["", "Anchor", "4 kg"])), max_size=5))
def test_offers_read_at_once_say_what_each_says(texts: list[tuple[str, str]]) -> None:
    offers = [Offer(str(at), "x", *row, "", "", 0, "", row[1]) for at, row in enumerate(texts)]
    said = read(offers)
    assert said.named == list(map(name_terms, offers)) == list(all_name_terms(offers))
    assert said.sizes == list(map(stated_quantity, offers))
    of_names = [terms.codes(f"{o.name} {o.model}".strip())[:6] for o in offers]
    assert [named for named, _ in said.codes] == of_names
