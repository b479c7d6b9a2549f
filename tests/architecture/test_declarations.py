"""Each file under functions/ is one function, and each path reaches its own."""

import sys
from typing import get_args

import msgspec
import pytest

from local.hosting import Site
from scheduler.jobs import SCHEDULES
from scheduler.queues import QUEUES
from shared.edge.paths import glob, match
from tests.architecture.contract import PATHS
from tools.declarations import FUNCTIONS, ROOT, Declared, codebases, declared, names

IDENTIFIER = "k3jq8z0x5v7w1y2u4t6r"

ALL = declared()
HTTP = [each for each in ALL if each.function.path and not each.function.private]


def site() -> Site:
    return Site.read(ROOT / "firebase.json")


def by_name(each: Declared) -> str:
    return each.function.name


@pytest.mark.parametrize("path", PATHS)
def test_each_path_of_the_contract_reaches_its_own_function(path: str) -> None:
    asked = path.replace("<id>", IDENTIFIER)

    found = [each.function for each in HTTP if each.function.name == site().function(asked)]

    assert [glob(function.path or "") for function in found] == [path.replace("<id>", "*")]


@pytest.mark.parametrize("each", HTTP, ids=by_name)
def test_no_other_rewrite_comes_before_a_functions_own(each: Declared) -> None:
    asked = glob(each.function.path or "").replace("*", IDENTIFIER)

    assert site().function(asked) == each.function.name
    assert match(each.function.path, asked) is not None


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_the_console_and_the_api_reference_are_static_pages(path: str) -> None:
    page = site().static(path)

    assert page is not None
    assert page.location is None
    assert page.path.suffix == ".html"


def test_no_static_file_hides_a_function() -> None:
    # Hosting serves a file before it looks at any rewrite.
    hidden = [each.function.path for each in HTTP if site().static(each.function.path or "")]

    assert hidden == []


def test_every_file_is_found() -> None:
    files = {
        path.stem
        for path in FUNCTIONS.glob("*/*.py")
        if path.stem != "main" and not path.stem.startswith("_")
    }

    assert files == {each.function.name for each in ALL}


def test_no_name_is_one_of_the_standard_library() -> None:
    # functions-framework puts the source folder last on the path: such a file is never found.
    found = {name for codebase in codebases() for name in names(codebase)}

    assert found & sys.stdlib_module_names == set()


def test_no_path_is_claimed_twice() -> None:
    sources = [glob(each.function.path or "") for each in HTTP]

    assert len(sources) == len(set(sources))


@pytest.mark.parametrize("each", HTTP, ids=by_name)
def test_an_http_function_declares_what_its_methods_take_and_answer(each: Declared) -> None:
    assert each.function.methods
    for method in each.function.methods.values():
        assert method.handler.__doc__
        assert method.answers
        taken = [method.query, *(get_args(method.body) or [method.body])]
        for struct in filter(None, taken):
            assert issubclass(struct, msgspec.Struct)
            assert struct.__struct_config__.forbid_unknown_fields


def test_only_background_functions_are_internal() -> None:
    internal = {
        each.function.name
        for each in ALL
        for method in each.function.methods.values()
        if method.role == "internal"
    }

    assert internal == {each.function.name for each in ALL if each.function.private}


def test_every_queue_that_a_task_names_exists() -> None:
    named = {each.function.queue for each in ALL if each.function.kind == "task"}

    assert named == {queue.name for queue in QUEUES}


def test_every_scheduled_function_has_a_schedule_and_no_schedule_runs_anything_else() -> None:
    scheduled = {each.function.name for each in ALL if each.function.kind == "schedule"}

    assert scheduled == {schedule.function for schedule in SCHEDULES}
