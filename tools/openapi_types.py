"""The types that functions name, as JSON Schema."""

from typing import Any, Final

import msgspec

from shared.edge.declaration import Method
from shared.edge.problems import Problem

REFERENCE: Final = "#/components/schemas/"
# What msgspec calls a decimal; on the wire ours are numbers.
DECIMAL: Final = {"type": "string", "format": "decimal"}

Schema = dict[str, Any]


class Types:
    """Every body, query and answer of `methods`, under one set of component names."""

    def __init__(self, methods: list[Method]) -> None:
        self._queries = _distinct([method.query for method in methods])
        self._types = _distinct(
            [
                Problem,
                *(method.body for method in methods),
                *(answer for method in methods for answer in method.answers.values()),
            ]
        )
        schemas, components = msgspec.json.schema_components(
            [*self._types, *self._queries], ref_template=f"{REFERENCE}{{name}}"
        )
        self._schemas: list[Schema] = [_numbers(schema) for schema in schemas]
        self._known: dict[str, Schema] = _numbers(components)

    @property
    def components(self) -> dict[str, Schema]:
        """The named schemas; a query is spread over its parameters and so is none of them."""
        spread = {_name(self._schema(query)) for query in self._queries}
        return {name: self._known[name] for name in sorted(self._known) if name not in spread}

    @property
    def problem(self) -> Schema:
        """The schema of every failure."""
        return self._schema(Problem)

    def body(self, wanted: Any) -> Schema:
        """The schema of a request's body."""
        return self._schema(wanted)

    def answer(self, given: Any, content_type: str) -> Schema:
        """The schema of an answer; text and bytes are passed on as they are."""
        if given in (bytes, str):
            return {} if content_type == "application/json" else {"type": "string"}
        return self._schema(given)

    def query(self, wanted: Any) -> list[dict[str, Any]]:
        """A query's fields as parameters."""
        if wanted is None:
            return []
        whole = self._known[_name(self._schema(wanted))]
        required = whole.get("required", [])
        return [
            {
                "name": name,
                "in": "query",
                "required": name in required,
                **_described(_without_null(schema)),
            }
            for name, schema in whole["properties"].items()
        ]

    def _schema(self, wanted: Any) -> Schema:
        return self._schemas[[*self._types, *self._queries].index(wanted)]


def _distinct(types: list[Any]) -> list[Any]:
    # Not a set: unions are equal without being hashable alike, and the order must be stable.
    found: list[Any] = []
    for each in types:
        if each not in (None, bytes, str, *found):
            found.append(each)
    return found


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).removeprefix(REFERENCE)


def _numbers(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_numbers(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if DECIMAL.items() <= schema.items():
        return {**schema, "type": "number", "format": "decimal"}
    return {name: _numbers(value) for name, value in schema.items()}


def _without_null(schema: Schema) -> Schema:
    # An absent argument is null to the handler; on the wire there is no null.
    plain = {k: v for k, v in schema.items() if not (k == "default" and v is None)}
    choices = [choice for choice in plain.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        del plain["anyOf"]
        return {**choices[0], **plain}
    return {**plain, "anyOf": choices} if choices else plain


def _described(schema: Schema) -> dict[str, Any]:
    described: dict[str, Any] = {"schema": schema}
    if "description" in schema:
        described["description"] = schema.pop("description")
    return described
