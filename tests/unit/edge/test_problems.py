"""Problem documents: each failure has its own, and shows nothing private."""

import msgspec
import pytest

from shared import errors
from shared.edge import problems


def every_error() -> list[errors.ShoppleError]:
    known = {
        errors.MethodNotAllowed: errors.MethodNotAllowed(["GET", "PUT"]),
        errors.Invalid: errors.Invalid.one("rows[1].price", "is wrong"),
        errors.LimitExceeded: errors.LimitExceeded(7),
    }
    kinds = [errors.ShoppleError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return [known.get(kind) or kind() for kind in kinds if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("error", every_error(), ids=lambda each: type(each).__name__)
def test_every_failure_is_a_problem_document(error: errors.ShoppleError) -> None:
    body = msgspec.json.decode(msgspec.json.encode(problems.problem(error, "request-1")))
    assert body["status"] == error.status
    assert body["title"]
    assert body["detail"]
    assert body["instance"] == "request-1"
    assert body["type"].startswith("urn:shopple:problem:")
    assert ("errors" in body) == isinstance(error, errors.Invalid)


def test_types_and_statuses_tell_failures_apart() -> None:
    types = [problems.problem(error, "x").type for error in every_error()]
    assert len(set(types)) == len(types)


def test_refused_fields_are_listed() -> None:
    error = errors.Invalid([errors.FieldError("a", "x"), errors.FieldError("b", "y")])
    assert problems.problem(error, "r").errors == [
        {"field": "a", "message": "x"},
        {"field": "b", "message": "y"},
    ]


def test_what_may_be_tried_again_says_when() -> None:
    assert problems.headers(errors.LimitExceeded(7)) == {"Retry-After": "7"}
    assert problems.headers(errors.DependencyUnavailable()) == {"Retry-After": "2"}
    assert problems.headers(errors.MethodNotAllowed(["GET", "PUT"])) == {"Allow": "GET, PUT"}
    assert problems.headers(errors.NotFound()) == {}


def test_the_cause_of_a_failure_stays_inside() -> None:
    error = errors.DependencyFailed("The database refused the call.")
    error.__cause__ = OSError("/srv/private/key.pem: password=hunter2")
    shown = msgspec.json.encode(problems.problem(error, "r")).decode()
    assert "refused the call" in shown
    assert "hunter2" not in shown
    assert "/srv" not in shown
