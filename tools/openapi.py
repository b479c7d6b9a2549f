"""The OpenAPI document, from what the functions declare and the types that they name."""

import importlib
import tomllib
from typing import Any, Final

from shared.edge.declaration import Function, Method
from shared.edge.limits import PER_MINUTE
from shared.edge.paths import parameters
from tools.declarations import ROOT, Declared
from tools.openapi_responses import headers, problem_responses, problems, responses
from tools.openapi_types import Types

VERSION: Final = "3.1.0"
DESCRIPTION: Final = (
    "The backend of a price-intelligence dashboard. Every failure is a problem document "
    "(RFC 9457). A method that a path does not know is answered 405 with `Allow`, plain HTTP is "
    "redirected to HTTPS (308). Text is trimmed and NFC-normalised; money is a decimal number "
    "with a `currency`; time is RFC 3339 in UTC."
)
SECURITY_SCHEMES: Final = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__session",
        "description": "Set by login, renewed on activity.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "Handed out by login and session; bound to the session.",
    },
    "ticket": {
        "type": "http",
        "scheme": "bearer",
        "description": "A single-use ticket that lives 60 s.",
    },
}
# A codebase is named as its domain is, but for these.
DOMAINS: Final = {"ai": "classification", "crawler": "crawling"}
PATH_PARAMETER: Final = {"type": "string", "pattern": "^[A-Za-z0-9_.~-]{1,128}$"}
IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of the version that the change is meant for; without it, any.",
    "schema": {"type": "string"},
    "example": '"3"',
}
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat under the same key gets the first answer for 24 h.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
}
UPLOADED_FILE: Final = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "CSV or XLSX."},
        "retailer": {"type": "string", "description": "For rows that name none."},
    },
    "required": ["file"],
}


def openapi(functions: list[Declared]) -> dict[str, Any]:
    """The whole document; what only Google's own services may call is no part of it."""
    shown = [each for each in functions if each.function.path and not each.function.private]
    methods = [method for each in shown for method in each.function.methods.values()]
    types = Types(methods)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Shopple Admin",
            "version": _version(),
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "tags": [_tag(name) for name in sorted({each.codebase for each in shown})],
        "paths": {
            str(each.function.path): _path(each, types)
            for each in sorted(shown, key=lambda each: str(each.function.path))
        },
        "components": {
            "schemas": types.components,
            "responses": problem_responses(types.problem),
            "headers": headers(),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _tag(codebase: str) -> dict[str, str]:
    domain = importlib.import_module(f"shared.{DOMAINS.get(codebase, codebase)}")
    return {"name": codebase, "description": domain.__doc__ or ""}


def _path(declared: Declared, types: Types) -> dict[str, Any]:
    function = declared.function
    shared = [
        {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETER}
        for name in parameters(function.path or "")
    ]
    operations = {
        verb.lower(): _operation(declared.codebase, function, method, types)
        for verb, method in function.methods.items()
    }
    return {**({"parameters": shared} if shared else {}), **operations}


def _operation(tag: str, function: Function, method: Method, types: Types) -> dict[str, Any]:
    document = method.handler.__doc__ or ""
    operation: dict[str, Any] = {
        "operationId": f"{function.name}_{method.handler.__name__}",
        "tags": [tag],
        "summary": document.partition("\n")[0].partition(";")[0].rstrip("."),
        "description": f"{document}\n\n{_terms(method)}",
        "security": _security(function, method),
    }
    taken = _parameters(method, types)
    if taken:
        operation["parameters"] = taken
    if method.body is not None:
        operation["requestBody"] = _request_body(method, types)
    operation["responses"] = {
        **responses(method, types.answer),
        **problems(function, method),
    }
    return operation


def _terms(method: Method) -> str:
    who = "Open to all" if method.role == "public" else f"Needs the role `{method.role}`"
    return f"{who}; at most {PER_MINUTE[method.limit]} calls a minute."


def _security(function: Function, method: Method) -> list[dict[str, list[str]]]:
    if method.ticket is not None:
        return [{"session": [], "csrf": []}, {"ticket": []}]
    if method.role == "public":
        # Of the functions that anybody may call, those that know sessions answer more with one.
        knows_sessions = function.service_account == "session" and not method.changes_state
        return [{}, {"session": []}] if knows_sessions else []
    if method.changes_state and method.csrf:
        return [{"session": [], "csrf": []}]
    return [{"session": []}]


def _parameters(method: Method, types: Types) -> list[dict[str, Any]]:
    found = types.query(method.query)
    if method.if_match:
        found.append(dict(IF_MATCH))
    if method.idempotency_key:
        found.append(dict(IDEMPOTENCY_KEY))
    return found


def _request_body(method: Method, types: Types) -> dict[str, Any]:
    content = {"application/json": {"schema": types.body(method.body)}}
    if method.multipart:
        content["multipart/form-data"] = {"schema": UPLOADED_FILE}
    return {"required": True, "content": content}
