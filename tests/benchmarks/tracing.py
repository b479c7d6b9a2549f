"""Which third-party modules the first request of a function calls, beyond what hello loads.

A call counts if our own code makes it while the request runs: what a library does while it is
imported, or what it calls of others, is its own affair. So a library that is loaded and not
called is not found here, and the function has to answer for it.
"""

import json
import os
import sys
import threading
from types import FrameType
from typing import Any

from tests.benchmarks.call import Call
from tests.benchmarks.instance import MARK, answer, application, hide

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
OURS = (os.path.join(ROOT, "shared"), os.path.join(ROOT, "functions"))  # noqa: PTH118


def called(job: dict[str, Any]) -> set[str]:
    """The names of the modules whose functions, types or methods our code called."""
    modules: set[str] = set()

    def watch(frame: FrameType, event: str, arg: Any) -> None:
        if event == "c_call" and _ours(frame):
            modules.update(_owners(arg))
        elif event == "call" and frame.f_back is not None and _ours(frame.f_back):
            modules.add(frame.f_globals.get("__name__", ""))
            first = frame.f_code.co_varnames[:1]
            if first and first[0] in ("self", "cls"):
                modules.update(_owners(frame.f_locals.get(first[0])))

    app = application(job)
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        answer(app, Call.unpacked(job["call"]))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return modules


def _ours(frame: FrameType) -> bool:
    # A module's own body runs at import.
    return frame.f_code.co_filename.startswith(OURS) and frame.f_code.co_name != "<module>"


def _owners(value: Any) -> set[str]:
    bound = getattr(value, "__self__", None)
    kind = value if isinstance(value, type) else type(value)
    names = [getattr(value, "__module__", None), kind.__module__]
    if bound is not None:
        names.append((bound if isinstance(bound, type) else type(bound)).__module__)
    return {name for name in names if isinstance(name, str)}


def main() -> None:
    """Print the called modules that exist as such and that hello has not loaded."""
    job = json.load(sys.stdin)
    hide(job["hidden"])
    import functions_framework  # noqa: F401 - what it loads, hello has as well

    before = set(sys.modules)
    standard = sys.stdlib_module_names
    found = sorted(
        name
        for name in called(job)
        if name in sys.modules
        and name not in before
        and name.partition(".")[0] not in (*standard, "shared", "tests", "main", job["target"])
    )
    firestore = "google.cloud.firestore" in sys.modules
    print(MARK + json.dumps({"libraries": found, "firestore": firestore}), flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    main()
