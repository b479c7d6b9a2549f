"""What is derived from the declarations is fresh, and is what its readers expect."""

import json
from typing import Any

import jsonschema
import schemathesis

from tools.declarations import ROOT
from tools.derive import derived, stale

FILES = derived()


def read(name: str) -> Any:
    return json.loads((ROOT / name).read_text())


def operations() -> list[tuple[str, dict[str, Any]]]:
    document = read("shared/system/openapi.json")
    return [
        (verb, operation)
        for path in document["paths"].values()
        for verb, operation in path.items()
        if verb != "parameters"
    ]


def test_every_derived_file_is_fresh() -> None:
    assert [path.name for path in stale(FILES)] == []


def test_deriving_twice_gives_the_same() -> None:
    assert derived() == FILES


def test_firebase_json_fits_the_schema_of_the_firebase_cli() -> None:
    schema = read("node_modules/firebase-tools/schema/firebase-config.json")

    jsonschema.validate(read("firebase.json"), schema)


def test_static_answers_have_the_security_headers_and_no_say_in_how_functions_are_cached() -> None:
    first, *others = read("firebase.json")["hosting"]["headers"]
    everywhere = {header["key"]: header["value"] for header in first["headers"]}

    assert first["source"] == "**"
    assert everywhere["Content-Security-Policy"].startswith("default-src 'self';")
    assert everywhere["X-Frame-Options"] == "DENY"
    assert "Cache-Control" not in everywhere
    assert {h["key"] for rule in others for h in rule["headers"]} == {"Cache-Control"}


def test_indexes_have_the_shape_that_the_firebase_cli_reads() -> None:
    content = read("firestore.indexes.json")

    assert set(content) == {"indexes", "fieldOverrides"}
    for index in content["indexes"]:
        assert set(index) == {"collectionGroup", "queryScope", "fields"}
        assert index["queryScope"] == "COLLECTION"
        assert len(index["fields"]) > 1
        for field in index["fields"]:
            mode = {name: value for name, value in field.items() if name != "fieldPath"}
            assert mode in (
                {"order": "ASCENDING"},
                {"order": "DESCENDING"},
                {"arrayConfig": "CONTAINS"},
            )
    for override in content["fieldOverrides"]:
        assert {"collectionGroup", "fieldPath", "indexes"} <= set(override)
        assert override.get("ttl", True) is True


def test_no_index_is_given_twice_and_firestore_takes_them_all() -> None:
    content = read("firestore.indexes.json")
    indexes = [json.dumps(index) for index in content["indexes"]]
    fields = [(each["collectionGroup"], each["fieldPath"]) for each in content["fieldOverrides"]]

    assert len(indexes) == len(set(indexes)) <= 200
    assert len(fields) == len(set(fields)) <= 200


def test_each_operation_is_named_once_and_tells_its_failures() -> None:
    identifiers = [operation["operationId"] for _, operation in operations()]

    assert len(identifiers) == len(set(identifiers))
    for verb, operation in operations():
        answered = set(operation["responses"])
        assert {"422", "429", "5XX"} <= answered
        assert any(status.startswith("2") for status in answered)
        if {"session": []} in operation["security"] and {} not in operation["security"]:
            assert {"401", "403"} <= answered
        if verb != "get":
            assert {"403", "413"} <= answered


def test_the_openapi_document_is_a_valid_one() -> None:
    schemathesis.openapi.from_dict(read("shared/system/openapi.json")).validate()


def test_money_is_a_number_and_every_reference_leads_somewhere() -> None:
    document = read("shared/system/openapi.json")
    parts = document["components"]

    for node in nodes(document):
        if node.get("format") == "decimal":
            assert node["type"] == "number"
        if isinstance(node.get("$ref"), str):
            _, _, kind, name = node["$ref"].split("/")
            assert name in parts[kind]


def nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [node for item in value for node in nodes(item)]
    if isinstance(value, dict):
        return [value, *(node for item in value.values() for node in nodes(item))]
    return []
