"""What the peers compare, made of rows as shops write them.

The peers' own preparation, and a light one: it knows the spellings of the generated catalogues and
no others, so that no peer pays for what the matcher reads besides.
"""

from collections import Counter

import numpy as np
import pandas as pd

_SIZE = r"\b(\d+(?:\.\d+)?)\s*(kg|g|ml|l|ltr)\b"
_UNITS = {"kg": ("g", 1000), "g": ("g", 1), "ml": ("ml", 1), "l": ("ml", 1000), "ltr": ("ml", 1000)}


def read(source: str) -> pd.DataFrame:
    """The rows as they are written: offer, retailer, name, price in minor units."""
    return pd.read_csv(source, dtype={"offer": str}, keep_default_na=False)


def prepared(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with plain words, the three rarest of them, the size in one unit and the price."""
    name = rows["name"].str.lower()
    stated = name.str.extract(_SIZE)
    factor = stated[1].map({unit: times for unit, (_, times) in _UNITS.items()})
    one_unit = stated[1].map({unit: one for unit, (one, _) in _UNITS.items()})
    amount = (stated[0].astype(float) * factor).round(3).astype(str)
    bare = name.str.replace(_SIZE, " ", regex=True).str.split()
    words = [list(dict.fromkeys(each)) for each in bare]
    counts = Counter(word for each in words for word in each)
    rarest = [(sorted(each, key=counts.__getitem__) + [None] * 3)[:3] for each in words]
    price = np.log(rows["price_minor"])
    return pd.DataFrame(
        {
            "offer": rows["offer"],
            "retailer": rows["retailer"],
            "name": [" ".join(each) for each in words],
            "words": words,
            **{f"rare_{at + 1}": [each[at] for each in rarest] for at in range(3)},
            "size": amount.str.cat(one_unit),
            "log_price": price,
            "price_band": (price * 4).round(),
        }
    )
