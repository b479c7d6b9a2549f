"""Path templates such as `/api/products/{product_id}`."""

import re
from functools import cache

_PARAMETER = re.compile(r"{(\w+)}")
# What Firestore takes as a document's id, apart from its length in bytes.
_SEGMENT = r"(?!\.{1,2}(?:/|$))(?!__[^/]*__(?:/|$))[^/\x00-\x1f\ud800-\udfff]{1,128}"


def match(template: str | None, path: str) -> dict[str, str] | None:
    """The template's parameters in `path`, or None; without a template every path fits."""
    if template is None:
        return {}
    found = _pattern(template).fullmatch(path)
    return found.groupdict() if found else None


def parameters(template: str) -> list[str]:
    """The names of a template's parameters, in order."""
    return _PARAMETER.findall(template)


def glob(template: str) -> str:
    """The template as a Hosting rewrite's source."""
    return _PARAMETER.sub("*", template)


def specificity(template: str) -> tuple[tuple[int, str], ...]:
    """A sort key that puts literal segments before parameters, segment by segment."""
    return tuple((segment.startswith("{"), segment) for segment in template.split("/"))


@cache
def _pattern(template: str) -> re.Pattern[str]:
    literal = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(_PARAMETER.sub(lambda name: f"(?P<{name[1]}>{_SEGMENT})", literal) + "/?")
