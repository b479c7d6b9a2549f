"""What Firebase Hosting makes of firebase.json: static files, headers, redirects, rewrites."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_SYNTAX = re.compile(r"\*\*/|\*\*|\*|\?|\{[^}]*\}|@\([^)]*\)|.", re.DOTALL)
_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@cache
def pattern(source: str) -> re.Pattern[str]:
    """The regular expression of a glob as Hosting reads it, where `*` stays within a segment."""
    return re.compile("".join(_translated(token) for token in _SYNTAX.findall(source)))


def _translated(token: str) -> str:
    if token in _WILDCARDS:
        return _WILDCARDS[token]
    if len(token) == 1:
        return re.escape(token)
    choices = token[1:-1].split(",") if token[0] == "{" else token[2:-1].split("|")
    return f"(?:{'|'.join(pattern(choice).pattern for choice in choices)})"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file to serve, or, with `location`, the address of the same file to redirect to."""

    path: Path
    location: str | None = None


class Site:
    """The `hosting` section of a firebase.json."""

    def __init__(self, configuration: Mapping[str, Any], folder: Path) -> None:
        hosting = configuration.get("hosting", {})
        self._public = (folder / hosting.get("public", "public")).resolve()
        self._clean_urls: bool = hosting.get("cleanUrls", False)
        self._trailing_slash: bool | None = hosting.get("trailingSlash")
        self._headers: list[Mapping[str, Any]] = hosting.get("headers", [])
        self._rewrites: list[Mapping[str, Any]] = hosting.get("rewrites", [])

    @classmethod
    def read(cls, file: Path) -> "Site":
        """The site that `file` describes."""
        return cls(json.loads(file.read_text()), file.parent)

    def static(self, path: str) -> StaticFile | None:
        """The file for a path, under the rules for clean URLs and trailing slashes."""
        found = self._file(path)
        if found is None:
            return None
        canonical = self._canonical(path, found)
        return StaticFile(found, None if canonical == path else canonical)

    def not_found_page(self) -> Path | None:
        """The site's own page for absent addresses, if it has one."""
        page = self._public / "404.html"
        return page if page.is_file() else None

    def headers(self, path: str) -> dict[str, str]:
        """The headers of a static file; of several for one name the last stands."""
        return {
            header["key"]: header["value"]
            for rule in self._headers
            if _applies(rule, path)
            for header in rule["headers"]
        }

    def function(self, path: str) -> str | None:
        """The function that the first matching rewrite names, else None."""
        for rule in self._rewrites:
            if _applies(rule, path) and "function" in rule:
                named = rule["function"]
                return named if isinstance(named, str) else str(named["functionId"])
        return None

    def _file(self, path: str) -> Path | None:
        for candidate in self._candidates(path):
            file = candidate.resolve()
            # A path such as /../firestore.rules must not leave the public folder.
            if file.is_relative_to(self._public) and file.is_file():
                return file
        return None

    def _candidates(self, path: str) -> Iterator[Path]:
        relative = unquote(path).strip("/")
        # Hosting leaves files whose names begin with a dot out of a deployment.
        if "\0" in relative or any(part.startswith(".") for part in relative.split("/")):
            return
        base = self._public / relative
        if relative and not path.endswith("/"):
            yield base
        if self._clean_urls and relative:
            yield base.with_name(f"{base.name}.html")
        yield base / "index.html"

    def _canonical(self, path: str, file: Path) -> str:
        canonical = path
        if self._clean_urls and canonical.endswith(".html"):
            canonical = canonical.removesuffix(".html").removesuffix("/index") or "/"
        if canonical == "/" or file.suffix != ".html" or canonical.endswith(".html"):
            return canonical
        if self._trailing_slash is None:
            return canonical
        return canonical.rstrip("/") + ("/" if self._trailing_slash else "")


def _applies(rule: Mapping[str, Any], path: str) -> bool:
    if "regex" in rule:
        return re.search(rule["regex"], path) is not None
    source: str = rule["source"]
    # Hosting reads "api/x" and "/api/x" alike.
    anchored = source if source.startswith(("/", "**")) else f"/{source}"
    target = path.lstrip("/") if anchored.startswith("**") else path
    return pattern(anchored).fullmatch(target) is not None
