"""All functions of all codebases in one server, each reached under its name."""

import argparse
import importlib.util
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions_framework import create_app
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from werkzeug.wrappers import Response

from local import meter
from local.iam import InvokerCheck, Refused
from local.ports import HOST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_GRACE_SECONDS = 3
_KEEP_ALIVE_SECONDS = 75
_PRIVATE_KINDS = ("task", "schedule", "firestore")

Declaration = Any


class Front:
    """The WSGI application that stands where cloudfunctions.net does.

    `GET /` lists the functions with what they declare, `GET /_ready` says that it serves.
    """

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._check = InvokerCheck(environment)
        self._apps: dict[str, tuple[WSGIApplication, Declaration]] = {}
        # Making an application runs main.py and touches sys.path: one at a time.
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "/")
        name = path.lstrip("/").partition("/")[0]
        if name in ("", "_ready"):
            body = {"functions": self.describe()} if not name else {}
            return _json(200, body)(environ, start_response)
        try:
            app, declaration = self._mounted(name)
            if _is_private(declaration):
                authorization = environ.get("HTTP_AUTHORIZATION", "")
                pod = getattr(declaration, "for_pods", False)
                environ["HTTP_AUTHORIZATION"] = self._check.pass_on(authorization, pod=pod)
        except Refused as refused:
            return _json(refused.status, {"error": str(refused)})(environ, start_response)
        except Exception as error:  # noqa: BLE001 - whatever the function's source may raise
            traceback.print_exc()
            return _json(500, {"error": f"{name} cannot be loaded: {error}"})(
                environ, start_response
            )
        # As Google's front end does: what a caller claims stays left of what was seen.
        claimed = environ.get("HTTP_X_FORWARDED_FOR", "")
        seen = environ["REMOTE_ADDR"]
        environ["HTTP_X_FORWARDED_FOR"] = f"{claimed}, {seen}" if claimed else seen
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + f"/{name}"
        environ["PATH_INFO"] = path[len(name) + 1 :] or "/"
        return app(environ, start_response)

    def describe(self) -> list[dict[str, object]]:
        """Each function's name, codebase and declaration, or why it cannot be loaded."""
        return [self._described(name, main) for name, main in sorted(self._sources().items())]

    def _described(self, name: str, main: Path) -> dict[str, object]:
        known: dict[str, object] = {"name": name, "codebase": main.parent.name}
        try:
            declaration = self._declaration(name, main)
        except Exception as error:  # noqa: BLE001 - whatever the function's source may raise
            traceback.print_exc()
            return known | {"error": f"{type(error).__name__}: {error}"}
        fields = ("kind", "private", "path", "document")
        return known | {each: getattr(declaration, each, None) for each in fields}

    def _sources(self) -> dict[str, Path]:
        sources: dict[str, Path] = {}
        for main in sorted(self._root.glob("functions/*/main.py")):
            sources |= dict.fromkeys(_names(main), main)
        return sources

    def _raise_if_broken(self) -> None:
        """What is not found may be in a codebase that cannot be loaded."""
        for main in sorted(self._root.glob("functions/*/main.py")):
            _load(main)

    def _declaration(self, name: str, main: Path) -> Declaration:
        with self._lock:
            return getattr(_load(main), name).__shopple__

    def _mounted(self, name: str) -> "tuple[WSGIApplication, Declaration]":
        if name not in self._apps:
            main = self._sources().get(name)
            if main is None:
                self._raise_if_broken()
                raise Refused(404, f"There is no function {name}.")
            declaration = self._declaration(name, main)
            signature = "cloudevent" if declaration.kind == "firestore" else "http"
            with self._lock:
                meter.install()
                app = create_app(name, str(main), signature)  # type: ignore[no-untyped-call]
            self._apps[name] = (meter.metered(app), declaration)
        return self._apps[name]


def _is_private(declaration: Declaration) -> bool:
    return declaration.kind in _PRIVATE_KINDS or getattr(declaration, "for_pods", False)


def _names(main: Path) -> list[str]:
    try:
        return [name for name in dir(_load(main)) if not name.startswith("_")]
    except Exception:  # noqa: BLE001 - one broken codebase must not take the others along
        traceback.print_exc()
        return []


def _load(main: Path) -> Any:
    name = f"_codebase_{main.parent.name}"
    if name not in sys.modules:
        # As functions-framework does it: the folder comes last, so nothing of it hides a library.
        if str(main.parent) not in sys.path:
            sys.path.append(str(main.parent))
        spec = importlib.util.spec_from_file_location(name, main)
        if spec is None or spec.loader is None:
            raise ImportError(f"{main} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


def _json(status: int, body: Mapping[str, object]) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"{HOST}:{self._arguments.port}",
            # One would share its interpreter lock between people and an upload's many tasks.
            "workers": 2,
            "threads": self._arguments.threads,
            "worker_class": "gthread",
            "timeout": 0,
            "graceful_timeout": _GRACE_SECONDS,
            # Longer than any client keeps a connection: neither sends into a closing one.
            "keepalive": _KEEP_ALIVE_SECONDS,
            "reload": self._arguments.reload,
            "control_socket_disable": True,
            # Its warnings only say that it reloads.
            "loglevel": "error",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Front:
        front = Front(self._arguments.root, os.environ)
        # Imports every function while the slower parts start, so the first requests are quick.
        threading.Thread(target=front.describe, daemon=True).start()
        return front


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.functions", description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    # A stream keeps one for as long as it is open; they are made when they are needed.
    parser.add_argument("--threads", type=int, default=48)
    parser.add_argument("--reload", action="store_true")
    arguments = parser.parse_args()
    # gunicorn reads the command line as well, and knows none of these.
    sys.argv[1:] = []
    _Server(arguments).run()


if __name__ == "__main__":
    main()
