"""The console's files: what a policy without inline code and foreign hosts asks of them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

CONSOLE = Path(__file__).resolve().parents[3] / "console"
PAGES = sorted(CONSOLE.glob("*.html"))
SCRIPTS = sorted(CONSOLE.rglob("*.js"))
# These turn text into markup or code, or set a style that the policy refuses.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|"
    r"DOMParser|\beval\(|new Function|setAttribute\('style'|cssText"
)
IMPORT = re.compile(r"^(?:import|export)[^'\n]*from '([^']+)'", re.MULTILINE)
IDENTITY_HOST = "https://identitytoolkit.googleapis.com"
NAMESPACE = "http://www.w3.org/2000/svg"


class Page(HTMLParser):
    """Notes what a page loads and what it holds inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.ids: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag in ("script", "link", "img"):
            self.loads.append(given.get("src") or given.get("href") or "")
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_pages_hold_no_inline_code_and_load_existing_files(path: Path) -> None:
    page = Page(path.read_text())
    assert page.inline == []
    assert len(page.ids) == len(set(page.ids))
    for address in page.loads:
        assert address.startswith("/")
        assert (CONSOLE / address.removeprefix("/")).is_file(), address


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_scripts_never_turn_text_into_markup(path: Path) -> None:
    assert FORBIDDEN.findall(path.read_text()) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_imports_lead_to_files(path: Path) -> None:
    for target in IMPORT.findall(path.read_text()):
        assert target.startswith("."), "only the console's own modules are imported"
        assert (path.parent / target).resolve().is_file(), target


def test_no_file_names_a_foreign_host() -> None:
    for path in [*SCRIPTS, *PAGES, CONSOLE / "app.css", CONSOLE / "favicon.svg"]:
        text = path.read_text().replace(IDENTITY_HOST, "").replace(NAMESPACE, "")
        assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text) == [], path.name
