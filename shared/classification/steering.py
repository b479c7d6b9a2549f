"""Whether a product's text may be more than a description: such a product is asked about alone.

No rule finds every text that tries to steer a model, so these err towards caution. What they take
for an instruction costs a call of its own and, if it is plainly one, a look by a person.
"""

import re
import unicodedata
from typing import Final, Literal

from shared.classification.models import Item
from shared.classification.product_text import words

Suspicion = Literal["none", "odd", "steers"]

# Longer words than these, and longer texts in a script whose instructions are not known here.
MOST_LETTERS: Final = 30
MOST_UNREAD_WORDS: Final = 6
_INVISIBLE: Final = ("Cc", "Cf", "Co", "Cs", "Cn")
_BREAKS: Final = "\n\r\t"
# Sinhala and other scripts need these two within words.
_JOINERS: Final = "\u200c\u200d"
# Words by which a text speaks of a model's work, or of other products than its own.
_ODD_WORDS: Final = re.compile(
    r"\b(?:ignor\w*|disregard\w*|forget|overrid\w*|bypass|pretend|obey\w*|instruct\w*|prompts?"
    r"|jailbreak\w*|system|assistant|developer|chatbot|model|llms?|ai|gpt\w*|json|schema|token\w*"
    r"|categor\w*|classif\w*|confidence|rationale|answers?|respond\w*|responses?|reply"
    r"|replies|outputs?|repeat|echo|print|return|assign|file|filed|treat|consider|write"
    r"|items?|products?|entry|entries|rows?|lines?|marks?|index|indexes|indices|ids?|lists?"
    r"|every\w*|others?|previous|preceding|following|above|below|remaining|next|all\s+(?:of|the)"
    r"|swap\w*|exchange\w*|switch\w*|instead|omit|skip|insert|append|invent|must|you|do\s+not|don'?t"
    r"|ignoriere?n?|vergiss|anweisung\w*|antwort\w*|kategorie\w*|produkte|ignorez|oublie\w*"
    r"|consignes?|cat\u00e9gor\w*|r\u00e9ponse|produits|ignora\w*|olvida\w*|instruccion\w*|respuesta"
    r"|respond[ae])\b",
    re.IGNORECASE,
)
# One such word stands in many an honest description; a name has few words, and needs none of them.
_ODD_WORDS_OF_A_DESCRIPTION: Final = 2
_STEERS: Final = re.compile(
    r"\b(?:(?:ignor|disregard|forget|overrid|bypass)\w*\b.{0,60}\b(?:instruct|prompt|rule|above|previous"
    r"|prior|everything|list|categor|all\b)"
    r"|system\s*(?:prompt|message|:)|you\s+are\s+(?:now|an?)\b|as\s+an\s+ai\b|new\s+instructions?"
    r"|(?:answer|respond|reply|output|return|print)\w*\s+(?:with|only|that|as|the|all|exactly)\b"
    r"|(?:classif|categor|label|assign|set|treat|file|mark)\w*\b.{0,60}\b(?:as|to|under|into|=|:)\W"
    r".{0,60}\b(?:categor|confidence|item|product|\d)"
    r"|(?:all|every|each|other|next|previous|first|second|last)\s+(?:the\s+)?(?:other\s+)?"
    r"(?:items?|products?|rows?|entr(?:y|ies)|lines?|marks?)\b"
    r"|(?:item|product|row|entry|index|line|mark)\s*(?:#|no\.?|number)?\s*\d"
    r"|confidence\s*(?:=|:|of|to)?\s*\d|[\"']?categor\w*[\"']?\s*[:=])",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP: Final = re.compile(r"[{}<>`|\\\[\]]|###|\"\s*:|://|=>|->|__")


def suspicion(item: Item) -> Suspicion:
    """What the product's text looks like: `steers` is plainly written to whoever reads it."""
    text = " ".join(filter(None, (item.name, item.brand, item.description, item.size)))
    plain = _plain(text)
    if _STEERS.search(plain):
        return "steers"
    if _ODD_WORDS.search(_plain(item.name)) or not words(item.name):
        return "odd"
    many = len(_ODD_WORDS.findall(plain)) >= _ODD_WORDS_OF_A_DESCRIPTION
    if many or _MARKUP.search(plain) or _is_hidden(text) or _is_unread(plain):
        return "odd"
    return "none"


def _plain(text: str) -> str:
    """As it would be read: without what shows nothing, and with letters in their usual shape."""
    shown = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    # I.g.n.o.r.e and i g n o r e are read as one word.
    return re.sub(r"(?<=\b\w)[\s.\-_*]+(?=\w\b)", "", "".join(shown))


def _is_hidden(text: str) -> bool:
    allowed = _BREAKS if text.isascii() else _BREAKS + _JOINERS
    return any(unicodedata.category(c) in _INVISIBLE and c not in allowed for c in text)


def _is_unread(plain: str) -> bool:
    """Too long a word, letters of two scripts in one, or much in a script with no list here."""
    foreign = 0
    for word in words(plain):
        latin = [("LATIN" in unicodedata.name(c, "")) for c in word if c.isalpha()]
        if len(word) > MOST_LETTERS or len(set(latin)) > 1:
            return True
        foreign += not all(latin)
    return foreign > MOST_UNREAD_WORDS
