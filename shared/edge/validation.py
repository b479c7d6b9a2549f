"""Bodies and queries into typed values, with the refused field named."""

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from shared.errors import BadRequest, FieldError, Invalid

T = TypeVar("T")

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_MESSAGE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
# C0 and C1 controls except tab, line feed and carriage return, and lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def read_json(data: bytes) -> Any:
    """JSON in UTF-8 with exact decimals, NFC and trimmed; raises BadRequest or Invalid."""
    try:
        return normalised(_decoder.decode(data), "")
    except ArithmeticError:
        raise BadRequest("The body holds a number that is out of range.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BadRequest(f"The body is not valid JSON: {error}") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None


def normalised(value: Any, where: str) -> Any:
    """`value` with every text NFC-normalised and trimmed; raises Invalid at a control character."""
    if isinstance(value, str):
        return _clean_text(value, where)
    if isinstance(value, list):
        return [normalised(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {key: normalised(item, f"{where}.{key}".lstrip(".")) for key, item in value.items()}
    return value


def _clean_text(value: str, where: str) -> str:
    if value.isascii() and value.isprintable():
        return value.strip()
    if _UNPRINTABLE.search(value):
        raise Invalid.one(where or "body", "must not hold control characters")
    return unicodedata.normalize("NFC", value).strip()


def to_type(value: Any, wanted: type[T]) -> T:
    """`value` as `wanted`; raises Invalid naming the field."""
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise Invalid([_field_error(str(error), "body")]) from None


def to_query(arguments: Mapping[str, list[str]], wanted: type[T]) -> T:
    """Query arguments as `wanted`; raises Invalid for an unknown, repeated or wrong one."""
    repeated = [name for name, values in arguments.items() if len(values) > 1]
    if repeated:
        raise Invalid([FieldError(name, "is given more than once") for name in repeated])
    plain = {name: _clean_text(values[0], name) for name, values in arguments.items()}
    try:
        query = msgspec.convert(plain, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid([_field_error(str(error), "query")]) from None
    for known in msgspec.structs.fields(wanted):  # type: ignore[arg-type]
        # The lax mode that reads numbers from text also reads the word null as nothing.
        if known.encode_name in plain and getattr(query, known.name) is None:
            raise Invalid.one(known.encode_name, "must not be null")
    return query


def no_query(arguments: Mapping[str, list[str]]) -> None:
    """Refuses any query argument, where a call takes none."""
    if arguments:
        raise Invalid([FieldError(name, "is not known") for name in arguments])


def _field_error(message: str, root: str) -> FieldError:
    match = _MESSAGE.match(message)
    what, where = (match["what"], match["where"]) if match else (message, None)
    path = (where or "").removeprefix("$").lstrip(".")
    for pattern, verdict in ((_UNKNOWN, "is not known"), (_MISSING, "is required")):
        if named := pattern.search(what):
            name = named["name"]
            return FieldError(f"{path}.{name}".lstrip("."), verdict)
    return FieldError(path or root, what[:1].lower() + what[1:])
