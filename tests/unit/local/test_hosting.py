from pathlib import Path
from typing import Any

import pytest

from local.hosting import Site, pattern


@pytest.mark.parametrize(
    ("source", "path", "fits"),
    [
        ("/api/products", "/api/products", True),
        ("/api/products", "/api/products/1", False),
        ("/api/products/*", "/api/products/1", True),
        ("/api/products/*", "/api/products/1/restore", False),
        ("/api/products/*/restore", "/api/products/a.b-c/restore", True),
        ("/api/**", "/api/a/b/c", True),
        ("/api/**/end", "/api/end", True),
        ("/api/**/end", "/api/a/b/end", True),
        ("/a.b", "/aXb", False),
        ("/v?/x", "/v1/x", True),
        ("/{docs,help}/*", "/help/me", True),
        ("/*.@(js|css)", "/app.css", True),
        ("/*.@(js|css)", "/app.html", False),
    ],
)
def test_globs(source: str, path: str, fits: bool) -> None:  # noqa: FBT001
    assert bool(pattern(source).fullmatch(path)) is fits


def site(folder: Path, **hosting: Any) -> Site:
    public = folder / "public"
    (public / "guide").mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "docs.html", "app.js", "guide/index.html", ".hidden"):
        (public / name).write_text(name)
    (folder / "secret.txt").write_text("secret")
    return Site({"hosting": {"public": "public", **hosting}}, folder)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/app.js", "app.js"),
        ("/docs.html", "docs.html"),
        ("/guide", "index.html"),
        ("/docs", None),
        ("/absent", None),
        ("/../secret.txt", None),
        ("/%2e%2e/secret.txt", None),
        ("/.hidden", None),
        ("/app.js%00", None),
    ],
)
def test_files(tmp_path: Path, path: str, file: str | None) -> None:
    found = site(tmp_path).static(path)
    assert (found.path.name if found else None) == file


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/docs", None),
        ("/docs.html", "/docs"),
        ("/docs/", "/docs"),
        ("/index.html", "/"),
        ("/guide/index.html", "/guide"),
        ("/guide/", "/guide"),
        ("/app.js", None),
    ],
)
def test_clean_addresses_without_a_trailing_slash(
    tmp_path: Path, path: str, location: str | None
) -> None:
    found = site(tmp_path, cleanUrls=True, trailingSlash=False).static(path)
    assert found is not None
    assert found.location == location


def test_the_first_matching_rewrite_counts(tmp_path: Path) -> None:
    configured = site(
        tmp_path,
        rewrites=[
            {"source": "/api/products/stats", "function": {"functionId": "products_stats"}},
            {"source": "/api/products/*", "function": {"functionId": "product"}},
            {"source": "/plain", "function": "plain"},
        ],
    )
    assert configured.function("/api/products/stats") == "products_stats"
    assert configured.function("/api/products/1") == "product"
    assert configured.function("/plain") == "plain"
    assert configured.function("/api/other") is None


def test_headers_of_all_matching_rules(tmp_path: Path) -> None:
    configured = site(
        tmp_path,
        headers=[
            {"source": "**", "headers": [{"key": "X-A", "value": "1"}]},
            {
                "source": "**/*.js",
                "headers": [{"key": "X-A", "value": "2"}, {"key": "X-B", "value": "3"}],
            },
        ],
    )
    assert configured.headers("/app.js") == {"X-A": "2", "X-B": "3"}
    assert configured.headers("/docs") == {"X-A": "1"}
