"""The images: what they copy exists, what they install is pinned and enough, and they start.

Nothing is built, since there may be no Docker: each image's folder is made of exactly what its
Dockerfile copies, and its packages are exactly those that it pins, out of what is installed here
in the same versions.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from shared.crawling import pod_manifest
from tools.declarations import ROOT

PINNED: Final = re.compile(
    r"^(?P<line>[a-z0-9][^\n]*?) \\\n(?P<hashes>(?: {4}--hash=\S+(?: \\)?\n)+)", re.MULTILINE
)
SECONDS: Final = 60
# Chromium's companions are 700 MB, and not installed here.
INSTALLED: Final = ("crawler_pod fast", "live")


class Image(msgspec.Struct, frozen=True):
    """What one stage of a Dockerfile does, those that it builds upon included."""

    copies: list[tuple[str, str]]
    requirements: str
    user: str
    command: list[str]
    ignored: str


def images() -> Iterator[tuple[str, Image]]:
    for folder in ("crawler_pod", "live"):
        text = (ROOT / folder / "Dockerfile").read_text()
        ignored = (ROOT / folder / "Dockerfile.dockerignore").read_text()
        for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]:
            if (
                command := re.search(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", stage, re.MULTILINE)
            ) is None:
                continue
            name = re.search(r"^\S+ AS (\w+)", stage)
            yield (
                f"{folder} {name[1]}" if name else folder,
                Image(
                    copies=re.findall(r"^COPY (\S+) (\S+)$", stage, re.MULTILINE),
                    requirements=re.findall(r"pip install --require-hashes -r (\S+)", stage)[0],
                    user=re.findall(r"^USER (\S+)$", stage, re.MULTILINE)[0],
                    command=json.loads(command[1]),
                    ignored=ignored,
                ),
            )


IMAGES: Final = dict(images())


def pinned(path: str) -> dict[str, Requirement]:
    """The file's packages that belong on this machine, by name."""
    found = [Requirement(each["line"]) for each in PINNED.finditer((ROOT / path).read_text())]
    wanted = [each for each in found if each.marker is None or each.marker.evaluate()]
    return {canonicalize_name(each.name): each for each in wanted}


def test_every_image_is_known() -> None:
    assert list(IMAGES) == ["crawler_pod fast", "crawler_pod browser", "live"]


@pytest.mark.parametrize("name", IMAGES)
def test_what_an_image_copies_exists_and_is_not_ignored(name: str) -> None:
    image = IMAGES[name]
    assert image.requirements in [f"{to}{Path(source).name}" for source, to in image.copies]
    allowed = [line[1:] for line in image.ignored.splitlines() if line.startswith("!")]
    for source, _ in image.copies:
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in allowed
    assert image.user == "10001:10001"


def test_a_pod_runs_as_the_user_of_its_image() -> None:
    place = pod_manifest.Place("n", "i", "a", "u", "a", "b", 1.0)
    made = pod_manifest.manifest(pod_manifest.Launch("j", 1, 60, browser=False), place)
    context = made["spec"]["template"]["spec"]["securityContext"]
    assert IMAGES["crawler_pod fast"].user == f"{context['runAsUser']}:{context['runAsGroup']}"


@pytest.mark.parametrize("name", IMAGES)
def test_every_line_of_its_requirements_is_pinned_with_hashes(name: str) -> None:
    text = (ROOT / IMAGES[name].requirements).read_text()
    assert PINNED.sub("", text).strip() == ""
    for each in pinned(IMAGES[name].requirements).values():
        assert re.fullmatch(r"==[^*,]+", str(each.specifier)), each


@pytest.mark.parametrize("name", INSTALLED)
def test_its_requirements_are_all_that_they_require(name: str) -> None:
    """As pip finds it under --require-hashes: one package that is not named ends the build."""
    named = pinned(IMAGES[name].requirements)
    for package, requirement in named.items():
        found = distribution(package)
        assert str(requirement.specifier) == f"=={found.version}", package
        for needed in map(Requirement, found.requires or []):
            extras = requirement.extras or {""}
            if any(needed.marker is None or needed.marker.evaluate({"extra": e}) for e in extras):
                own = named[canonicalize_name(needed.name)]
                assert needed.specifier.contains(str(own.specifier)[2:], prereleases=True), package


def test_the_browser_of_the_pod_adds_packages_and_changes_none() -> None:
    fast, browser = (
        pinned(IMAGES[f"crawler_pod {each}"].requirements) for each in ("fast", "browser")
    )
    assert {name: str(each.specifier) for name, each in fast.items()}.items() <= {
        name: str(each.specifier) for name, each in browser.items()
    }.items()
    assert "crawl4ai" in browser


@pytest.fixture(scope="module", params=INSTALLED)
def built(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, Path]:
    """An image and its folder, `app` and `packages` within."""
    image, folder = IMAGES[request.param], tmp_path_factory.mktemp("image")
    for source, to in image.copies:
        target = folder / "app" / to
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, target)
    for name in pinned(image.requirements):
        _install(distribution(name), folder / "packages")
    return image, folder


def _install(found: Distribution, folder: Path) -> None:
    for file in found.files or ():
        if file.parts[0] == ".." or "__pycache__" in file.parts:
            continue
        target, source = folder / file, Path(str(file.locate())).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
        compiled = source.parent / "__pycache__"
        if compiled.exists() and not (target.parent / "__pycache__").exists():
            # To compile all of it once more would take most of the time.
            (target.parent / "__pycache__").symlink_to(compiled)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Our Python without its own packages, in the image's folder."""
    path = os.pathsep.join(str(folder / each) for each in ("app", "packages"))
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-S", *arguments],
        cwd=folder / "app",
        env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_an_image_holds_all_that_its_code_imports(built: tuple[Image, Path]) -> None:
    image, folder = built
    own = ROOT / Path(image.requirements).parts[0]
    modules = {f"{own.name}.{path.stem}" for path in own.glob("*.py") if path.stem != "__main__"}
    # Also what is imported only where it is used, save what is set up apart.
    later = {name for path in own.glob("*.py") for name in _imports(path)} - {"crawl4ai"}
    # Nothing of what is installed here beside the image's own may have helped.
    alone = "import importlib.util as u; assert u.find_spec('pytest') is None"
    done = run(folder, "-c", f"import {', '.join(sorted(modules | later))}; {alone}")
    assert (done.returncode, done.stderr) == (0, "")


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield (
                node.module.partition(".")[0] if node.module.startswith("crawl4ai") else node.module
            )


def test_an_image_starts_and_says_what_it_lacks(built: tuple[Image, Path]) -> None:
    image, folder = built
    assert image.command[0] == "python"
    done = run(folder, *image.command[1:])
    assert done.returncode != 0
    assert re.search(r"missing: --report-url|FIREBASE_PROJECT_ID is missing", done.stderr), (
        done.stderr
    )
