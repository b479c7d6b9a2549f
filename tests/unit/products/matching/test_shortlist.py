from shared.products.matching import Offer, shortlist

ASKED = Offer("asked", "keells", "Maliban Cream Crackers Large Pepper 190g", "", "", "", 0, "LKR")


def offer(name: str, size: str = "") -> Offer:
    return Offer(name, "cargills", name, "", size, "", 0, "LKR")


def test_a_rare_word_in_common_goes_before_many_common_ones() -> None:
    siblings = [offer(f"Maliban Cream Crackers Large {number}g") for number in range(200, 230)]
    match = offer("Crackers Pepper")
    assert match in shortlist(ASKED, [*siblings, match], 3)


def test_a_size_counts_wherever_it_stands() -> None:
    names = (
        "Maliban Cream Crackers",
        "Maliban Cream Crackers Family",
        "Maliban Cream Crackers Gift",
    )
    small = [offer(name, f"{grams} g") for name in names for grams in (100, 400)]
    match = offer("Maliban Cream Crackers Tin", "190 g")
    assert match in shortlist(ASKED, [*small, match], 2)


def test_the_order_of_the_candidates_does_not_matter() -> None:
    others = [offer(f"Crackers {number}") for number in range(20)]
    assert shortlist(ASKED, others, 5) == shortlist(ASKED, others[::-1], 5)
    assert shortlist(ASKED, others[:4], 5) == others[:4]


def test_names_without_a_word_are_likest_to_nothing() -> None:
    nameless = [offer("." * number) for number in range(1, 9)]
    assert len(shortlist(offer(""), nameless, 3)) == 3
