"""firebase.json: where everything lies, and which path reaches which function."""

from typing import Any, Final

from shared.config import region
from shared.edge.declaration import Function
from shared.edge.headers import SECURITY
from shared.edge.paths import glob, specificity
from tools.declarations import Declared

LOOPBACK: Final = "127.0.0.1"
PORTS: Final = {
    "auth": 9099,
    "functions": 5002,
    "firestore": 8080,
    "hosting": 5001,
    "storage": 9199,
}

# What depends on the answer, and so is none of Hosting's business where a function answers.
PER_ANSWER: Final = ("Cache-Control", "Vary")
# The console shows retailers' pictures, signs people in with Firebase Authentication, reads streams
# at the functions' own addresses, and hears of crawls from Cloud Run, whose host has the project's
# number in it.
CONSOLE_SOURCES: Final = {
    "img-src": "'self' https: data:",
    "connect-src": "'self' https://identitytoolkit.googleapis.com "
    "https://securetoken.googleapis.com https://*.cloudfunctions.net "
    f"wss://*.{region()}.run.app",
}
# None of these names is a function's path: only the functions decide how their answers are kept.
STATIC_FILES: Final = ("/", "/docs", "**/*.@(js|css|svg|csv)")


def firebase_config(functions: list[Declared]) -> dict[str, Any]:
    """The whole of firebase.json."""
    return {
        "functions": [_codebase(name) for name in sorted({each.codebase for each in functions})],
        "hosting": _hosting([each.function for each in functions]),
        "firestore": {"rules": "firestore.rules", "indexes": "firestore.indexes.json"},
        "storage": {"rules": "storage.rules"},
        "emulators": _emulators(),
    }


def _codebase(name: str) -> dict[str, Any]:
    return {
        "codebase": name,
        "source": f"dist/{name}",
        "runtime": "python311",
        "disallowLegacyRuntimeConfig": True,
        "ignore": ["venv", "__pycache__", "*.pyc", ".git", "*.log"],
    }


def _hosting(functions: list[Function]) -> dict[str, Any]:
    return {
        "public": "console",
        "cleanUrls": True,
        "trailingSlash": False,
        "ignore": ["firebase.json", "**/.*", "**/node_modules/**"],
        "headers": _headers(),
        "rewrites": _rewrites(functions),
    }


def _headers() -> list[dict[str, Any]]:
    security = {name: value for name, value in SECURITY.items() if name not in PER_ANSWER}
    sources = "; ".join(f"{name} {value}" for name, value in CONSOLE_SOURCES.items())
    security["Content-Security-Policy"] += f"; {sources}"
    fresh = {"Cache-Control": "no-cache"}
    return [
        {"source": "**", "headers": _pairs(security)},
        *({"source": source, "headers": _pairs(fresh)} for source in STATIC_FILES),
    ]


def _pairs(headers: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": name, "value": value} for name, value in headers.items()]


def _rewrites(functions: list[Function]) -> list[dict[str, Any]]:
    # Hosting takes the first that fits, so the most literal path comes first.
    # What pods call, they call at the function's own address, where IAM looks at their token.
    paths = {
        function.path: function
        for function in functions
        if function.path is not None and not function.private
    }
    return [
        {"source": glob(path), "function": {"functionId": paths[path].name, "region": region()}}
        for path in sorted(paths, key=specificity)
    ]


def _emulators() -> dict[str, Any]:
    ports = {name: {"host": LOOPBACK, "port": port} for name, port in PORTS.items()}
    return {**ports, "ui": {"enabled": False}, "singleProjectMode": True}
