"""The words, signs and measures of shelf labels, as patterns over text in lower case."""

import re
from typing import Final, Literal

from shared.products.currencies import CURRENCIES, SIGNS

# A sign that several countries share means the retailer's own currency if it is one of these.
AMBIGUOUS: Final = {
    "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "CLP", "COP", "ARS"),
    "rs": ("LKR", "INR", "PKR", "NPR", "MUR", "SCR"),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    "¥": ("JPY", "CNY"),
    "£": ("GBP", "EGP", "LBP"),
}
SHARING: Final = "|".join(sorted({c.casefold() for each in AMBIGUOUS.values() for c in each}))
PREFIXED: Final = {
    "us$": "USD",
    "a$": "AUD",
    "au$": "AUD",
    "c$": "CAD",
    "ca$": "CAD",
    "nz$": "NZD",
    "s$": "SGD",
    "hk$": "HKD",
    "r$": "BRL",
    "rm": "MYR",
    "fr": "CHF",
    "zł": "PLN",
    "kč": "CZK",
    "ft": "HUF",
}
_CODES: Final = "|".join(sorted(code.casefold() for code in CURRENCIES))
_SIGNS: Final = "|".join(
    map(re.escape, sorted({*SIGNS, *AMBIGUOUS, *PREFIXED}, key=len, reverse=True))
)
SIGN: Final = rf"(?:{_SIGNS}|{_CODES})"
# "Rs.50" is fifty, while "$.50" is half of one.
NO_LETTER: Final = "[$£€₹¥₪₩₫]"
MEASURE: Final = (
    r"kilograms?|kilo|kgs?|grams?|gms?|gr|g|mg|millilitres?|milliliters?|mls?|cl|centilitres?"
    r"|litres?|liters?|ltrs?|lt|l|ounces?|oz|lbs?|pounds?|metres?|meters?|m|sheets?|tablets?"
    r"|capsules?|wash(?:es)?|doses?"
)
EACH: Final = r"\s*(?:/|per|a)?\s*(?:units?|items?|each|ea|pcs?|pieces?|packs?|stück|stk)\b\.?"
PER: Final = (
    rf"\s*(?:/[-=])?\s*(?:/|per\b|p/|je\b|a\b)\s*"
    rf"(?P<count>[0-9]+(?:[.,][0-9]+)?)?\s*(?P<measure>{MEASURE})\b"
)
# "$5 99" writes its cents small; "Rs 5 12 pcs" counts something else.
SMALL_CENTS: Final = (
    rf"\s+[0-9]{{2}}(?![0-9]|[.,'][0-9]|\s*(?:%|(?:for|@)\s*$|(?:{MEASURE}|pcs?|pieces?|packs?"
    r"|items?|units?|x|left|reviews?|ratings?|sold|in stock|available)\b))"
)
RANGE: Final = r"\s*(?:-|to|bis|~)\s*"
Side = Literal["price", "was", "other", "range"]
# "Delivery: Rs. 350" speaks of the amount that follows it.
_OF_THE_LAST: Final = r"(?!\s*[:-])"
AFTER: Final[dict[Side, str]] = {
    "other": r"\s*(?:/[-=])?\s*(?:off|discount|savings?|saved|cash ?back|delivery|shipping|deposit"
    rf"|a month|per month|/ ?month|/ ?mo|monthly|x [0-9]+|more)\b{_OF_THE_LAST}",
    "range": r"\s*(?:-|to\b)\s*[0-9]",
}
BEFORE: Final[dict[Side, str]] = {
    "was": r"\b(?:was|old price|original price|originally|before|previously|instead of|statt|uvp"
    r"|rrp|msrp|srp|list price|market price|usually|usual price|former price)\b",
    "price": r"\b(?:now|sale price|sale|special price|special|our price|offer price|today"
    r"|current price|only|final price|reduced to|discounted price|deal price|jetzt|nur|you pay"
    r"|member price|online price|selling price|net price)\b",
    "other": r"\b(?:save|saves|saving|savings|you save|discount|less|delivery|shipping|postage"
    r"|orders? (?:over|above)|spend|deposit|cash ?back|[0-9]+ (?:for|x|@)|any [0-9]+)\b",
    "range": r"\b(?:from|starting at|starts at|as low as|ab|up to|upto)\b",
}
# What may stand before a number whose groups are parted by spaces: "size 10 500" is two numbers.
LEADING: Final = (
    rf"(?:^|[^a-z0-9 ]|{BEFORE['was']}|{BEFORE['price']}|\b(?:price|total|mrp|regular|retail))\s*$"
)
# Beside another price these name the former one; alone they name the price.
ALONE: Final = r"\b(?:mrp|regular price|regular|reg|normal price|retail price|standard price)\b"
