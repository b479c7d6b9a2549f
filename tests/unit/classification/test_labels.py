"""The pages that labels are packed into."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.classification import labels
from shared.classification.labels import Label, Page

NOW = datetime(2026, 5, 4, tzinfo=UTC)
made = st.builds(
    Label, st.text(max_size=400), st.sampled_from(["tea", "soap"]), st.just("p1"), st.just(NOW)
)


@given(st.lists(made, max_size=120), st.lists(made, max_size=120))
def test_what_is_packed_is_there_once_and_no_page_grows_too_large(
    before: list[Label], added: list[Label]
) -> None:
    pages = {page.number: page for page in labels.packed(Page(7, ()), before)} or {7: Page(7, ())}
    last = pages[max(pages)]
    pages |= {page.number: page for page in labels.packed(last, added)}
    assert [label for number in sorted(pages) for label in pages[number].labels] == before + added
    assert max(page.size_bytes for page in pages.values()) <= labels.PAGE_BYTES
    assert sorted(pages) == list(range(7, 7 + len(pages)))


def test_a_full_page_is_left_as_it_is() -> None:
    full = Page(2, tuple(Label(f"Tea {n}", "tea", None, NOW) for n in range(labels.PAGE_LABELS)))
    (page,) = labels.packed(full, [Label("Soap", "soap", None, NOW)])
    assert (page.number, len(page.labels)) == (3, 1)


def test_of_a_text_the_newest_label_counts() -> None:
    older, newer = Label("Ceylon TEA", "soap", None, NOW), Label("Ceylon Tea", "tea", None, NOW)
    assert labels.newest([Page(1, (newer,)), Page(0, (older,))]) == [newer]
    assert labels.newest([Page(0, (older, newer))]) == [newer]


def test_what_is_taken_off_a_page_are_the_labels_of_one_text_and_moment() -> None:
    later = NOW + timedelta(seconds=1)
    mistaken, mended = (Label("Tea", "soap", None, NOW), Label("Tea", "milk", None, later))
    others = (Label("Tea", "tea", None, NOW - timedelta(days=1)), Label("Soap", "soap", None, NOW))
    page = Page(3, (others[0], mistaken, mended, others[1]))
    assert labels.without(page, "Tea", [NOW, later]) == Page(3, others)
    assert labels.newest([labels.without(page, "Tea", [NOW, later])])[-1].category == "tea"


def test_the_text_is_one_line() -> None:
    assert labels.label_text("Dilmah ", " Ceylon\n Tea") == "Dilmah Ceylon Tea"
    assert labels.label_text(None, "Tea") == "Tea"


@given(st.lists(made, max_size=120), st.sampled_from(["t", "tea-and-other-hot-drinks" * 4]))
def test_the_labels_of_a_category_that_goes_follow_its_products(
    some: list[Label], target: str
) -> None:
    page = next(iter(labels.packed(Page(7, ()), some)), Page(7, ()))
    after = labels.moved(page, "tea", target)
    assert after.size_bytes <= labels.PAGE_BYTES
    kept = page.labels[len(page.labels) - len(after.labels) :]
    assert [each.text for each in after.labels] == [each.text for each in kept]
    expected = [target if each.category == "tea" else "soap" for each in kept]
    assert [each.category for each in after.labels] == expected
    assert labels.moved(after, "tea", target) == after


def test_what_a_move_makes_too_large_loses_its_oldest_labels() -> None:
    many = tuple(Label(f"{n:0120}", "tea", None, NOW) for n in range(labels.PAGE_LABELS))
    after = labels.moved(Page(2, many), "tea", "t" * 100)
    assert after.size_bytes <= labels.PAGE_BYTES
    assert after.labels[-1].text == many[-1].text
    assert 200 < len(after.labels) < len(many)
