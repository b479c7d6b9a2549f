"""The `shared` package as a wheel whose bytes follow from its files' contents alone.

A build backend lets file times, permissions and its own version into the archive, and then every
build would redeploy every function.
"""

import hashlib
import io
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = "shared"
# The earliest that a zip file can say.
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
READABLE: Final = 0o100644 << 16
WHEEL: Final = """Wheel-Version: 1.0
Generator: shopple-admin
Root-Is-Purelib: true
Tag: py3-none-any
"""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's file name and its bytes."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash that pip checks."""
        return hashlib.sha256(self.content).hexdigest()


def build_wheel(root: Path) -> Wheel:
    """The wheel of the package under `root`, named and versioned by its pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    information = f"{stem}.dist-info"
    files = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in _sources(root / PACKAGE)
    }
    files[f"{information}/METADATA"] = _metadata(project).encode()
    files[f"{information}/WHEEL"] = WHEEL.encode()
    record = f"{information}/RECORD"
    files[record] = _record(files, record).encode()
    return Wheel(f"{stem}-py3-none-any.whl", _archive(files))


def _sources(package: Path) -> list[Path]:
    found = (path for path in package.rglob("*") if path.is_file())
    return sorted(path for path in found if path.parent.name != "__pycache__")


def _metadata(project: dict[str, str]) -> str:
    return (
        "Metadata-Version: 2.1\n"
        f"Name: {project['name']}\n"
        f"Version: {project['version']}\n"
        f"Summary: {project['description']}\n"
        f"Requires-Python: {project['requires-python']}\n"
    )


def _record(files: dict[str, bytes], record: str) -> str:
    lines = [f"{name},{_digest(content)},{len(content)}" for name, content in files.items()]
    return "\n".join([*lines, f"{record},,", ""])


def _digest(content: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={digest}"


def _archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = READABLE
            entry.create_system = 3
            # Stored: what deflate makes of a file differs between versions of zlib.
            entry.compress_type = zipfile.ZIP_STORED
            archive.writestr(entry, content)
    return buffer.getvalue()
