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
SCREEN = re.compile(r"^  \[/.*/, '(\w+)'\],$", re.MULTILINE)
MAX_PAGE_BYTES = 150_000
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


def needed(*scripts: Path) -> set[Path]:
    """The scripts and all that they import."""
    found: set[Path] = set()
    waiting = [script.resolve() for script in scripts]
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.add(script)
            imports = IMPORT.findall(script.read_text())
            waiting += [(script.parent / target).resolve() for target in imports]
    return found


def screens() -> list[str]:
    found = sorted(set(SCREEN.findall((CONSOLE / "js" / "main.js").read_text())))
    assert found
    return found


@pytest.mark.parametrize("screen", screens())
def test_a_page_weighs_little_whichever_screen_it_shows(screen: str) -> None:
    index = CONSOLE / "index.html"
    loads = {CONSOLE / address.removeprefix("/") for address in Page(index.read_text()).loads}
    scripts = {path for path in loads if path.suffix == ".js"}
    shown = CONSOLE / "js" / "screens" / f"{screen}.js"
    files = {index} | {path.resolve() for path in loads} | needed(*scripts, shown)
    assert sum(path.stat().st_size for path in files) <= MAX_PAGE_BYTES


def test_no_file_names_a_foreign_host() -> None:
    for path in [*SCRIPTS, *PAGES, *CONSOLE.glob("*.css"), CONSOLE / "favicon.svg"]:
        text = path.read_text().replace(IDENTITY_HOST, "").replace(NAMESPACE, "")
        assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text) == [], path.name
