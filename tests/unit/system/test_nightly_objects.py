"""A line of the nightly export."""

import json
from datetime import UTC, datetime

from google.api_core.datetime_helpers import DatetimeWithNanoseconds

from shared.system.nightly_objects import line


def test_a_document_is_one_line_that_json_reads_back() -> None:
    moment = DatetimeWithNanoseconds(  # type: ignore[no-untyped-call]
        2026, 3, 1, 10, 0, 0, 5, tzinfo=UTC
    )
    fields = {
        "name": "Tea\n\u2028100 g",
        "price_minor": 45000,
        "created_at": moment,
        "partners": {"b": [1, None, {"at": datetime(2026, 1, 1, tzinfo=UTC)}]},
        "data": b"\x00\xff",
    }
    written = line("a1", fields)
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    assert json.loads(written) == {
        "id": "a1",
        "name": "Tea\n\u2028100 g",
        "price_minor": 45000,
        "created_at": "2026-03-01T10:00:00.000005Z",
        "partners": {"b": [1, None, {"at": "2026-01-01T00:00:00.000000Z"}]},
        "data": "AP8=",
    }
