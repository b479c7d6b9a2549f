"""What the other fields of two offers say; each feature is 0 where a side says nothing."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from shared.products.matching.alignment import Sides
from shared.products.matching.columns import DIMENSIONS, Prepared
from shared.products.matching.terms import CODE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Places = NDArray[np.intp]

_COUNT: Final = DIMENSIONS.index("count")
# As logarithms: 1 % is a rounding, 12 % another recipe or a mistake, more another size.
_SAME_SIZE: Final = 0.01
_NEAR_SIZE: Final = 0.12
_FAR_SIZE: Final = 2.0
_SAME_PRICE: Final = 0.005
_NEAR_PRICE: Final = 0.15
_FAR_PRICE: Final = 1.5
# At one retailer and for offers that state no size.
_OTHER_PRICE: Final = 0.05
_CODE_NAMES: Final = (
    *("code_same", "code_stem", "code_told", "code_told_stem", "code_begins"),
    *("code_differs", "code_rest", "code_one"),
)
_TWIN: Final = 0.999


def model_codes(p: Prepared, left: "Places", right: "Places", sides: Sides) -> "dict[str, Bools]":
    """Model codes: the same, of one stem, told in the other's description, or different ones."""
    found = {name: np.zeros(len(left), np.bool_) for name in _CODE_NAMES}
    found["code_begins"] = begins = _code_matched(sides)
    rows = np.flatnonzero((p.codes[left, 0] > 0) | (p.codes[right, 0] > 0))
    if len(rows):
        for name, values in _compared(p, left[rows], right[rows], begins[rows]).items():
            found[name][rows] = values
    return found


def _compared(p: Prepared, left: "Places", right: "Places", begins: "Bools") -> "dict[str, Bools]":
    a, b = p.codes[left], p.codes[right]
    width = max(1, int((a > 0).any(0).sum()), int((b > 0).any(0).sum()))
    exact = _alike(a[:, :width], b[:, :width])
    stems = _alike(p.stems[left, :width], p.stems[right, :width])
    places = np.arange(width)
    named_a = places < p.named_codes[left, None]
    named_b = places < p.named_codes[right, None]
    both, one = named_a[:, :, None] & named_b[:, None, :], named_a[:, :, None] | named_b[:, None, :]
    same = (exact & both).any((1, 2))
    stem = (stems & both).any((1, 2)) & ~same
    told = (exact & one).any((1, 2)) & ~same & ~stem
    told_stem = (stems & one).any((1, 2)) & ~same & ~stem & ~told
    begins = begins & ~same & ~stem & ~told
    agree = same | stem | told | begins
    some_a, some_b = named_a.any(1), named_b.any(1)
    free_a, free_b = (named_a & ~stems.any(2)).any(1), (named_b & ~stems.any(1)).any(1)
    differs, rest = ~agree & some_a & some_b, agree & free_a & free_b
    one_sided = ~agree & (some_a != some_b)
    columns = same, stem, told, told_stem, begins, differs, rest, one_sided
    return dict(zip(_CODE_NAMES, columns, strict=True))


def _alike(a: "NDArray[np.int32]", b: "NDArray[np.int32]") -> "Bools":
    found: Bools = (a[:, :, None] == b[:, None, :]) & (a > 0)[:, :, None]
    return found


def _code_matched(sides: Sides) -> "Bools":
    code = sides.kind == CODE
    if not code.any():
        return np.zeros(code.shape[2], np.bool_)
    found: Bools = ((sides.matched > 0) & code).any((0, 1))
    return found


def sizes(p: Prepared, left: "Places", right: "Places") -> "dict[str, Any]":
    """Whether as much is sold; grams and millilitres are written for each other."""
    size_a, size_b = p.log_size[left], p.log_size[right]
    count_a, count_b = p.dimension[left] == _COUNT, p.dimension[right] == _COUNT
    distance = np.abs(size_a - size_b)
    # One piece is what a shop writes when it does not know the size.
    piece = (count_a & (size_a == 0)) | (count_b & (size_b == 0))
    unknown = np.isnan(distance) | piece | (count_a != count_b)
    distance[unknown] = 0
    same, differs = distance <= _SAME_SIZE, distance > _NEAR_SIZE
    return {
        "size_same": same & ~unknown,
        "size_near": ~(same | differs),
        "size_differs": differs,
        "size_far": np.minimum(distance, _FAR_SIZE) / _FAR_SIZE,
    }


def prices(p: Prepared, left: "Places", right: "Places") -> "dict[str, Any]":
    """How far the prices are apart, where they are of one currency."""
    distance = np.abs(p.log_price[left] - p.log_price[right])
    known = ~np.isnan(distance) & (p.currency[left] == p.currency[right])
    distance[~known] = 0
    same, near = known & (distance < _SAME_PRICE), np.exp(distance / -_NEAR_PRICE)
    # Where one side states no size, the price is the only sign of another one.
    unsized = known & (np.isnan(p.log_size[left]) != np.isnan(p.log_size[right]))
    return {
        "price_known": known,
        "price_same": same,
        "price_near": known * near,
        "price_far": np.minimum(distance, _FAR_PRICE) / _FAR_PRICE,
        "price_same_unsized": unsized & same,
        "price_off_unsized": unsized * (1 - near),
    }


def brands(p: Prepared, left: "Places", right: "Places") -> "dict[str, Bools]":
    """Whether both name a brand, and the same one; a house brand is sold by its house alone."""
    own = _own_house(p, left, right) | _own_house(p, right, left)
    return {**_labels("brand", p.brand[left], p.brand[right]), "brand_of_house": own}


def _own_house(p: Prepared, owners: "Places", others: "Places") -> "Bools":
    own: Bools = p.house[owners] > 0
    if own.any():
        own &= p.retailer[owners] != p.retailer[others]
        rows = np.flatnonzero(own)
        own[rows] = ~(p.terms[others[rows]] == p.house[owners[rows], None]).any(1)
    return own


def categories(p: Prepared, left: "Places", right: "Places") -> "dict[str, Bools]":
    """Whether both name a category, and the same one."""
    return _labels("category", p.category[left], p.category[right])


def retailers(
    p: Prepared, left: "Places", right: "Places", found: dict[str, Any]
) -> "dict[str, Bools]":
    """One retailer sells one product once, unless two offers say the very same.

    Where neither states a size, another price is another size.
    """
    same = (p.retailer[left] == p.retailer[right]) & (p.retailer[left] >= 0)
    size_a, size_b = p.log_size[left], p.log_size[right]
    unsized = np.isnan(size_a) & np.isnan(size_b)
    same_size = found["size_same"] | (unsized & ~(found["price_far"] > _OTHER_PRICE / _FAR_PRICE))
    twin = same & same_size & (found["sorted_ratio"] >= _TWIN)
    return {"retailer_same": same, "retailer_twin": twin}


def _labels(name: str, a: "NDArray[np.int32]", b: "NDArray[np.int32]") -> "dict[str, Bools]":
    known = (a >= 0) & (b >= 0)
    return {f"{name}_same": known & (a == b), f"{name}_differs": known & (a != b)}
