"""What is deployed is complete, and the same whenever it is built from the same source."""

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.discovery import manifest
from tools.bundle import bundle
from tools.declarations import ROOT, codebases, names


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return bundle(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    # pip itself checks the wheel's hash, its metadata and its record.
    target = tmp_path_factory.mktemp("installed")
    own = (folders[0] / "requirements.txt").read_text().splitlines()[-1]
    requirements = target.with_suffix(".txt")
    requirements.write_text(own + "\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    options = ["--disable-pip-version-check", "--require-hashes", "--target", str(target)]
    command = [*pip, *options, "-r", str(requirements)]
    subprocess.run(command, cwd=folders[0], check=True)  # noqa: S603 - our own requirements
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_every_codebase_is_bundled(folders: list[Path]) -> None:
    assert [folder.name for folder in folders] == codebases()


def test_the_same_source_gives_the_same_bytes(folders: list[Path], tmp_path: Path) -> None:
    again = bundle(tmp_path)

    assert [contents(folder) for folder in again] == [contents(folder) for folder in folders]


def test_a_bundle_holds_what_the_functions_need_and_nothing_else(folders: list[Path]) -> None:
    for folder in folders:
        wheel, *others = folder.glob("*.whl")
        functions = {f"{name}.py" for name in [*names(folder.name), "main"]}

        assert others == []
        assert set(contents(folder)) == {wheel.name, "requirements.txt", *functions}
        assert (folder / "venv").resolve() == (ROOT / ".venv").resolve()


def test_bundling_again_drops_what_was_removed(tmp_path: Path) -> None:
    folder = bundle(tmp_path)[0]
    (folder / "gone.py").touch()
    (folder / "functions.yaml").touch()

    bundle(tmp_path)

    assert not (folder / "gone.py").exists()
    assert not (folder / "functions.yaml").exists()
    assert (ROOT / ".venv/pyvenv.cfg").exists()


def test_every_requirement_is_pinned_with_a_hash(folders: list[Path]) -> None:
    for folder in folders:
        text = (folder / "requirements.txt").read_text().replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

        assert all("--hash=sha256:" in line for line in lines)
        assert lines[-1].startswith("./shopple_admin-")


def test_the_wheels_record_names_every_file_with_its_hash(folders: list[Path]) -> None:
    (wheel,) = folders[0].glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith("/RECORD"))
        rows = [line.split(",") for line in archive.read(record).decode().splitlines()]

        assert [name for name, _, _ in rows] == archive.namelist()
        for name, digest, size in rows[:-1]:
            content = archive.read(name)
            encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            assert (digest, size) == (f"sha256={encoded.rstrip('=')}", str(len(content)))


def test_the_wheel_has_the_whole_package_and_its_data(installed: Path) -> None:
    sources = {
        path.relative_to(ROOT)
        for path in (ROOT / "shared").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }

    assert Path("shared/system/openapi.json") in sources
    assert all((installed / path).is_file() for path in sources)


@pytest.mark.parametrize("codebase", codebases())
def test_the_firebase_cli_finds_the_functions_in_a_bundle(
    codebase: str, folders: list[Path], installed: Path
) -> None:
    (folder,) = (folder for folder in folders if folder.name == codebase)

    assert sorted(manifest(folder, installed)) == names(codebase)
