"""Lines as the product writes them, shipped as Fluent Bit's configuration says, found by field.

Fluent Bit itself is in no registry that the tests use: the bulk is made by its documented rules
for what the configuration asks of it.
"""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from osmem_server import OsmemServer  # type: ignore[import-untyped]

from local.plan import ROOT
from shared import logs
from shared.config import read_settings

SETTINGS = ROOT / "deploy" / "logging"
GOOD = {"FIREBASE_PROJECT_ID": "demo-unit", "SECRET_KEY": "x" * 32}


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    """An OpenSearch with our template."""
    with (
        OsmemServer.start(japanese=False) as started,
        httpx.Client(base_url=started.url, trust_env=False, timeout=10) as http,
    ):
        template = json.loads((SETTINGS / "index-template.json").read_text())
        http.put("/_index_template/shopple-logs", json=template).raise_for_status()
        yield http


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The log file, while the product writes to it."""
    root = logging.getLogger("shared")
    before = (root.handlers, root.propagate, root.level)
    path = tmp_path / "logs" / "shopple.log"
    logs.set_up(read_settings(GOOD | {"LOG_FILE": str(path)}))
    yield path
    for handler in root.handlers:
        handler.close()
    root.handlers, root.propagate = before[0], before[1]
    root.setLevel(before[2])
    logs.set_up.cache_clear()


def configured(file: str, section: str) -> dict[str, str]:
    """The settings of one section of a configuration file."""
    text = (SETTINGS / file).read_text()
    body = re.search(rf"^\[{section}\]\n((?:[ #].*\n?|\n)*)", text, re.MULTILINE)
    assert body is not None
    lines = (line.split(maxsplit=1) for line in body[1].splitlines())
    return {words[0]: words[1] for words in lines if words and words[0] != "#"}


def bulk(lines: list[str]) -> str:
    """What the plugin sends: an index a day, the parsed time under Time_Key, the line's fields."""
    output, parser = configured("fluent-bit.conf", "OUTPUT"), configured("parsers.conf", "PARSER")
    assert (output["Logstash_Format"], parser["Format"]) == ("On", "json")
    sent = []
    for number, line in enumerate(lines):
        fields = json.loads(line)
        time = fields[parser["Time_Key"]]
        assert re.fullmatch(r"\d{4}(-\d\d){2}T\d\d(:\d\d){2}\.\d{3}Z", time)
        if parser["Time_Keep"] != "On":
            del fields[parser["Time_Key"]]
        index = f"{output['Logstash_Prefix']}-{time[:10].replace('-', '.')}"
        sent.append({"create": {"_index": index, "_id": f"line-{number}"}})
        sent.append({output["Time_Key"]: time} | fields)
    return "".join(json.dumps(each) + "\n" for each in sent)


def found(server: httpx.Client, query: dict[str, Any]) -> list[dict[str, Any]]:
    answer = server.post("/shopple-logs-*/_search", json={"query": query})
    answer.raise_for_status()
    return [hit["_source"] for hit in answer.json()["hits"]["hits"]]


def test_what_the_product_logs_is_found_by_field(server: httpx.Client, file: Path) -> None:
    log = logging.getLogger("shared.edge.pipeline")
    fields = {"request_id": "r-12345678", "function": "products", "trace": "projects/p/traces/t"}
    token = logs.request_fields.set(fields)
    try:
        context = {"path": "/api/products", "status": 200, "token": "a-secret-token"}
        log.info("Answered", extra={"context": context})
        log.warning("Redis failed", extra={"context": {"error": "ConnectError"}, "risk": "high"})
        try:
            raise ValueError("Bearer abcdefgh12345678")  # noqa: TRY301 - a traceback is wanted
        except ValueError:
            log.exception("Unexpected failure")
    finally:
        logs.request_fields.reset(token)
    lines = file.read_text().splitlines()
    assert len(lines) == 3

    headers = {"Content-Type": "application/x-ndjson"}
    sent = server.post("/_bulk?refresh=true", content=bulk(lines), headers=headers)

    assert sent.json()["errors"] is False, sent.text
    by_path = found(server, {"term": {"context.path": "/api/products"}})
    assert [each["message"] for each in by_path] == ["Answered"]
    assert [each["level"] for each in found(server, {"term": {"risk": "high"}})] == ["WARNING"]
    assert [e["context"]["error"] for e in found(server, {"term": {"level": "WARNING"}})] == [
        "ConnectError"
    ]
    assert len(found(server, {"term": {"request_id": fields["request_id"]}})) == 3
    assert len(found(server, {"range": {"@timestamp": {"gte": "now-1h"}}})) == 3
    failed = found(server, {"match": {"message": "unexpected"}})
    assert "ValueError" in failed[0]["context"]["exception"]
    assert "abcdefgh12345678" not in "".join(lines)
    assert "a-secret-token" not in "".join(lines)


def test_the_configuration_reads_the_file_that_the_product_writes() -> None:
    source = configured("fluent-bit.conf", "INPUT")
    assert (source["Name"], source["Path"]) == ("tail", "${LOG_FILE}")
    assert source["Parser"] == configured("parsers.conf", "PARSER")["Name"]
    assert source["Tag"] == configured("fluent-bit.conf", "OUTPUT")["Match"]
