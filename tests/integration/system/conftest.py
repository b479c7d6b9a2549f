"""What the tests of the system share: objects of Storage."""

import httpx
import pytest

from local.plan import BUCKET
from local.stack import Stack
from local.tls import TLS
from tests.integration.products.support import good


class Objects:
    """The bucket, as Storage itself shows it."""

    def __init__(self, stack: Stack) -> None:
        self._base = stack.environment()["STORAGE_EMULATOR_HOST"]
        self._http = httpx.Client(trust_env=False, verify=TLS)

    def names(self, prefix: str) -> set[str]:
        """The objects whose names begin so."""
        url = f"{self._base}/storage/v1/b/{BUCKET}/o"
        told = good(self._http.get(url, params={"prefix": prefix, "maxResults": 1000}))
        return {item["name"] for item in told.get("items", [])}

    def read(self, name: str) -> bytes:
        """An object's content, as it is stored."""
        url = f"{self._base}/download/storage/v1/b/{BUCKET}/o/{name.replace('/', '%2F')}"
        answer = self._http.get(url, params={"alt": "media"})
        answer.raise_for_status()
        return answer.content

    def put(self, name: str, content: bytes = b"x") -> None:
        """Makes `content` an object, written now."""
        self._http.post(
            f"{self._base}/upload/storage/v1/b/{BUCKET}/o",
            params={"uploadType": "media", "name": name},
            content=content,
        ).raise_for_status()


@pytest.fixture(scope="module")
def objects(stack: Stack) -> Objects:
    """The bucket of the running cloud."""
    return Objects(stack)
