"""The set-up of crawl4ai and Chromium by real processes, uv and Playwright.

In their places stand a package and a program of a few bytes, and a script for apt-get.
"""

import asyncio
import hashlib
import http.server
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crawler_pod import browser_packages, browser_program
from crawler_pod.attempts import FetchFailed
from crawler_pod.browser import SETTING_UP, ScriptedPages
from crawler_pod.browser_packages import is_ready, set_up
from crawler_pod.guard import Guard
from crawler_pod.pace import OwnPace
from crawler_pod.setting_up import SetUpFailed
from local.plan import ROOT
from shared.crawling.recipes import Limits
from tests.unit.crawler_pod.sites import served

TINY = "crawl4ai-0.0.1-py3-none-any.whl"
ABOUT = {
    "METADATA": ["Metadata-Version: 2.1", "Name: crawl4ai", "Version: 0.0.1"],
    "WHEEL": ["Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: py3-none-any"],
    "RECORD": ["crawl4ai/__init__.py,,"],
}
SAYS = """
import sys
from pathlib import Path
from crawler_pod import browser_packages, browser_program
folder, requirements = map(Path, sys.argv[1:3])
was = browser_packages.set_up(folder, requirements)
browser_packages.ensure(folder, requirements)
import crawl4ai
print(was, crawl4ai.TINY)
"""
KILLED = """
import os
import signal
from crawler_pod import browser_packages, browser_program
done = browser_packages.run
def run(what, command):
    if "install" in command:
        os.kill(os.getpid(), signal.SIGKILL)
    done(what, command)
browser_packages.run = run
"""


def requirements(folder: Path, digest: str | None = None) -> Path:
    """A file that pins a wheel of ours by its name and hash."""
    wheel = folder / TINY
    about = "crawl4ai-0.0.1.dist-info"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("crawl4ai/__init__.py", "TINY = 'is here'\n")
        for name, lines in ABOUT.items():
            made.writestr(f"{about}/{name}", "\n".join([*lines, ""]))
    found = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
    pinned = folder / "requirements.txt"
    pinned.write_text(f"crawl4ai @ {wheel.as_uri()} --hash=sha256:{found}\n")
    return pinned


def begun(folder: Path, pinned: Path, code: str = SAYS) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code, str(folder), str(pinned)],
        cwd=ROOT,
        env={**os.environ, "UV_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_of_two_pods_one_sets_up_and_what_was_killed_half_way_is_begun_anew(tmp_path: Path) -> None:
    pinned, folder = requirements(tmp_path), tmp_path / "crawl"
    killed = begun(folder, pinned, KILLED + SAYS)
    killed.communicate(timeout=60)
    assert killed.returncode < 0
    # It got as far as Python itself, and nobody takes that for the whole.
    assert (folder / "bin" / "python").exists()
    assert browser_packages.missing(folder, pinned)

    both = [begun(folder, pinned) for _ in range(2)]
    said = sorted(each.communicate(timeout=60)[0].strip() for each in both)
    assert said == ["False is here", "True is here"]
    assert not browser_packages.missing(folder, pinned)
    assert set_up(folder, pinned) is False
    # Other pins than those that were set up are other packages.
    pinned.write_text(pinned.read_text() + "\n")
    assert browser_packages.missing(folder, pinned)


def test_what_cannot_be_set_up_is_told_and_tried_again(tmp_path: Path) -> None:
    pinned, folder = requirements(tmp_path, digest="0" * 64), tmp_path / "crawl"
    with pytest.raises(SetUpFailed, match=r"[Hh]ash"):
        set_up(folder, pinned)
    assert not is_ready(folder, pinned)
    assert set_up(folder, requirements(tmp_path)) is True


def test_a_crawl_tells_that_its_browser_is_set_up_and_why_it_could_not_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted: list[str | None] = []
    made: list[ScriptedPages] = []

    async def permit(_: str) -> None:
        """Any page may be drawn."""

    def fails() -> None:
        noted.extend(pages.note for pages in made)
        raise SetUpFailed("no room is left")

    async def drawn(pages: ScriptedPages) -> str:
        with pytest.raises(FetchFailed) as caught:
            await pages.page("http://shop.example/app/1", 0.0, permit)
        return f"{caught.value.kind}: {caught.value}"

    monkeypatch.setattr(browser_packages, "ensure", fails)
    monkeypatch.setattr(browser_packages, "missing", lambda: True)
    for name in ("CRAWL4AI_NO_CLOUD_NOTICE", "CRAWL4_AI_BASE_DIRECTORY"):
        monkeypatch.setenv(name, "")

    async def run() -> list[str]:
        pages = ScriptedPages(Guard(), OwnPace(), Limits(attempts=1), None)
        made.append(pages)
        # The second page does not try again.
        found = [await drawn(pages), await drawn(pages)]
        noted.append(pages.note)
        await pages.close()
        return found

    assert asyncio.run(run()) == ["needs_browser: no room is left"] * 2
    assert noted == [SETTING_UP, None]


APT = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$*" in *install*) printf '#!/bin/sh' > "$(dirname "$0")/chromium"
chmod +x "$(dirname "$0")/chromium";; esac
"""


class Downloads(http.server.BaseHTTPRequestHandler):
    """Has, in place of each of Playwright's archives, one with programs of a few bytes."""

    def do_GET(self) -> None:
        content = _archive()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        # FFmpeg comes along with it.
        for name in ("chrome-linux64/chrome", "ffmpeg-linux"):
            program = zipfile.ZipInfo(name)
            program.external_attr = 0o755 << 16
            made.writestr(program, "#!/bin/sh")
    return packed.getvalue()


@pytest.fixture
def without_chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs that are found: it holds what runs others, and no Chromium."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "env").symlink_to(str(shutil.which("env")))
    monkeypatch.setenv("PATH", str(programs))
    return programs


def test_root_has_chromium_from_apt_and_has_it_once(
    without_chromium: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for tool in ("dirname", "chmod"):
        (without_chromium / tool).symlink_to(str(shutil.which(tool, path=os.defpath)))
    apt = without_chromium / "apt-get"
    apt.write_text(APT)
    apt.chmod(0o755)

    for _ in range(2):
        program = browser_program.ensure(tmp_path / "chromium")
        assert program == str(without_chromium / "chromium")
    asked = (without_chromium / "asked").read_text().splitlines()
    assert asked == ["-qqy update", "-qqy install --no-install-recommends chromium"]


@pytest.mark.usefixtures("without_chromium")
def test_others_have_chromium_from_playwright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    folder = tmp_path / "chromium"
    with served(Downloads) as site:
        monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", f"http://127.0.0.1:{site.server_port}")
        program = browser_program.ensure(folder)
    assert Path(program).is_relative_to(folder)
    assert os.access(program, os.X_OK)
    assert browser_program.found(folder) == program


def test_where_nothing_can_be_set_up_each_way_that_was_tried_is_told(
    without_chromium: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(browser_packages, "is_ready", lambda: False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    told = r"none can be set up: apt-get: only .* for root; playwright install: .*no-python"
    with pytest.raises(SetUpFailed, match=told):
        browser_program.ensure(tmp_path / "chromium")
    # As on a file system that nobody may write to.
    with pytest.raises(SetUpFailed, match="nothing can be set up at"):
        browser_program.ensure(without_chromium / "env" / "chromium")
