"""The result of a crawl as it lies in Storage: the manifest that counts, and the rows it names."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared.clients import storage
from shared.crawling.ingestion.models import Ingestion
from shared.crawling.models import CrawlJob
from shared.crawling.results import Manifest, Row
from shared.errors import NotFound

# Of text alone no row is longer, and what is longer is no row.
MOST_LINE_BYTES: Final = 200_000
_PIECE_BYTES: Final = 1024 * 1024

_manifests = msgspec.json.Decoder(Manifest)
_rows = msgspec.json.Decoder(Row)

# A row with its number from 1; None where the line is no row.
Numbered = tuple[int, Row | None]


class Broken(Exception):
    """The result is not what the job or its manifest says, and will not be later either."""


def manifest(job: CrawlJob) -> Manifest | None:
    """The job's manifest, None where it has none; raises Broken or a DependencyError."""
    if job.manifest is None:
        return None
    content = storage.read(job.manifest)
    if content is None:
        raise Broken("The job's manifest is not in Storage.")
    try:
        found = _manifests.decode(content)
    except msgspec.MsgspecError as error:
        raise Broken(f"The job's manifest cannot be read: {error}.") from None
    if (found.job_id, found.fencing_token) != (job.id, job.token):
        raise Broken("The job's manifest is another pod's.")
    # Whatever it names is read and linked to, and the bucket holds more than crawls.
    if not found.rows.name.startswith(f"{job.manifest.rpartition('/')[0]}/"):
        raise Broken("The job's manifest names rows that do not lie beside it.")
    return found


def rows(ingestion: Ingestion, after: int) -> Iterator[Numbered]:
    """The rows beyond number `after`, once the object's checksum is right.

    Memory holds one piece, however many there are. Raises Broken or a DependencyError.
    """
    name = ingestion.object
    if name is None:
        return
    try:
        _check(name, ingestion.sha256)
        with storage.open_for_reading(name) as stream:
            number = 0
            for number, line in enumerate(_lines(stream), start=1):
                if number > after:
                    yield number, _row(line)
    except NotFound:
        raise Broken("The rows are not in Storage.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Broken(f"The rows cannot be read: {error}.") from None
    if number != ingestion.rows:
        raise Broken(f"There are {number} rows, the manifest says {ingestion.rows}.")


def _check(name: str, sha256: str | None) -> None:
    digest = hashlib.sha256()
    with storage.open_for_reading(name) as stream:
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
    if digest.hexdigest() != sha256:
        raise Broken("The rows are not those that the manifest names: the checksum is another.")


def _lines(stream: Any) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=stream, mode="rb") as text:
        while line := text.readline(MOST_LINE_BYTES):
            yield line


def _row(line: bytes) -> Row | None:
    try:
        return _rows.decode(line)
    except msgspec.MsgspecError:
        return None
