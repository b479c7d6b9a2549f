"""Kubernetes: the Jobs of the crawlers' namespace, its errors in our terms."""

import base64
import binascii
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.clients.kubernetes_errors import QuotaExceeded, errors_mapped, is_absent, is_there
from shared.config import settings
from shared.errors import ConfigurationError, DependencyRefused, DependencyUnavailable

if TYPE_CHECKING:
    from kubernetes.client import BatchV1Api

TIMEOUT_SECONDS: Final = (3.05, 10.0)
# A page of a list; more pods than that are looked at in further pages.
PAGE: Final = 200
# How many seconds a token must be good for still.
_SHORTEST_TOKEN_SECONDS: Final = 60
_GONE: Final = 410


class ClusterJob(msgspec.Struct, frozen=True):
    """A Job as the cluster knows it; `finished` says that its pod is over, well or not."""

    name: str
    labels: dict[str, str]
    finished: bool
    deleting: bool = False


def is_set_up() -> bool:
    """Whether there is a cluster to crawl in."""
    return settings().gke_endpoint is not None


def create_job(manifest: dict[str, Any]) -> bool:
    """Has the Job run; False where one of that name is there already.

    Raises DependencyRefused for what the cluster will never take, QuotaExceeded for what it
    will take once something else has ended, and other DependencyErrors.
    """
    from kubernetes.client import V1Job
    from pydantic import ValidationError

    try:
        wanted = V1Job.model_validate(manifest)
    except ValidationError as error:
        raise DependencyRefused(f"That is no Job for Kubernetes: {error}") from error
    try:
        with errors_mapped():
            return _create(wanted)
    except QuotaExceeded:
        # Where it is full Kubernetes says so before it looks whether the Job is there.
        if read_job(str(manifest["metadata"]["name"])) is None:
            raise
        return False


def _create(wanted: Any) -> bool:
    from kubernetes.client import ApiException

    try:
        _api().create_namespaced_job(
            settings().crawler_namespace, wanted, _request_timeout=TIMEOUT_SECONDS
        )
    except ApiException as error:
        if is_there(error):
            return False
        raise
    return True


def read_job(name: str) -> ClusterJob | None:
    """The Job, None where there is none; raises a DependencyError."""
    from kubernetes.client import ApiException

    with errors_mapped():
        try:
            found = _api().read_namespaced_job(
                name, settings().crawler_namespace, _request_timeout=TIMEOUT_SECONDS
            )
        except ApiException as error:
            if is_absent(error):
                return None
            raise
    return _job(found)


def list_jobs(selector: str) -> list[ClusterJob]:
    """Every Job that the selector fits, page by page; raises a DependencyError."""
    with errors_mapped():
        return _listed(selector)[0]


def delete_job(name: str) -> bool:
    """Ends the Job with its pod; False where it is gone already. Raises a DependencyError."""
    from kubernetes.client import ApiException

    with errors_mapped():
        try:
            # In the foreground the Job stays until its pod is gone, and so can be waited for.
            _api().delete_namespaced_job(
                name,
                settings().crawler_namespace,
                propagation_policy="Foreground",
                _request_timeout=TIMEOUT_SECONDS,
            )
        except ApiException as error:
            if is_absent(error):
                return False
            raise
    return True


def await_gone(selector: str, seconds: float) -> bool:
    """Whether every Job that the selector fits is gone within that time; watches, not polls.

    A watch that ends early, or is too old to go on, begins anew. Raises a DependencyError.
    """
    deadline = time.monotonic() + seconds
    with errors_mapped():
        while True:
            jobs, version = _listed(selector)
            left = deadline - time.monotonic()
            if not jobs or left <= 0:
                return not jobs
            _watch(selector, version, {job.name for job in jobs}, left)


def _watch(selector: str, version: str, names: set[str], seconds: float) -> None:
    """Returns when all are gone, the time is over, or the server has ended the watch."""
    from kubernetes.client import ApiException
    from kubernetes.watch import Watch
    from urllib3.exceptions import HTTPError

    watch: Any = Watch()  # type: ignore[no-untyped-call]
    # A whole number, and of 0 the server would make its own half an hour.
    whole = max(int(seconds), 1)
    try:
        for event in watch.stream(
            _api().list_namespaced_job,
            settings().crawler_namespace,
            label_selector=selector,
            resource_version=version,
            timeout_seconds=whole,
            _request_timeout=(TIMEOUT_SECONDS[0], whole + 5),
        ):
            if event["type"] == "DELETED":
                names.discard(event["object"].metadata.name)
            if not names:
                return
    except ApiException as error:
        if error.status != _GONE:
            raise
    except HTTPError:
        # Cut off in the middle: what happened meanwhile, the next list tells.
        return
    finally:
        watch.stop()


def ping() -> None:
    """Asks for one Job; raises a DependencyError."""
    with errors_mapped():
        _api().list_namespaced_job(
            settings().crawler_namespace, limit=1, _request_timeout=(1.0, 2.0)
        )


def _listed(selector: str) -> tuple[list[ClusterJob], str]:
    found: list[ClusterJob] = []
    more: dict[str, Any] = {}
    while True:
        page: Any = _api().list_namespaced_job(
            settings().crawler_namespace,
            label_selector=selector,
            limit=PAGE,
            _request_timeout=TIMEOUT_SECONDS,
            **more,
        )
        found += [_job(each) for each in page.items]
        token = page.metadata._continue  # noqa: SLF001 - the client's own name for `continue`
        if not token:
            return found, page.metadata.resource_version
        more = {"_continue": token}


def _job(found: Any) -> ClusterJob:
    conditions = (found.status and found.status.conditions) or []
    finished = any(
        each.type in ("Complete", "Failed") and each.status == "True" for each in conditions
    )
    meta = found.metadata
    deleting = meta.deletion_timestamp is not None
    return ClusterJob(meta.name, dict(meta.labels or {}), finished, deleting)


@cache
def _api() -> "BatchV1Api":
    """The client, made on first use: its import takes longer than most functions' start."""
    from kubernetes.client import ApiClient, BatchV1Api, Configuration

    known = settings()
    if known.gke_endpoint is None:
        raise ConfigurationError("GKE_ENDPOINT is missing: set it to the cluster's address.")
    # Written out: without an address it would read one from the machine's own kubeconfig.
    configuration: Any = Configuration(host=known.gke_endpoint)
    configuration.retries = False
    configuration.verify_ssl = True
    if known.gke_ca is not None:
        configuration.ssl_ca_cert = _ca_file(known.gke_ca)
    configuration.refresh_api_key_hook = _sign_in
    _sign_in(configuration)
    return BatchV1Api(ApiClient(configuration))


def _sign_in(configuration: Any) -> None:
    token = settings().gke_token or _platform_token()
    configuration.api_key["authorization"] = token
    configuration.api_key_prefix["authorization"] = "Bearer"


def _platform_token() -> str:
    from datetime import timedelta

    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    from shared.clock import utc_now

    try:
        credentials = _credentials()
        expiry = credentials.expiry
        soon = utc_now().replace(tzinfo=None) + timedelta(seconds=_SHORTEST_TOKEN_SECONDS)
        if not credentials.valid or (expiry is not None and expiry <= soon):
            credentials.refresh(Request())
    except GoogleAuthError as error:
        raise DependencyUnavailable("Kubernetes cannot be signed in to.") from error
    return str(credentials.token)


@cache
def _credentials() -> Any:
    from google.auth import default

    return default(scopes=["https://www.googleapis.com/auth/cloud-platform"])[0]


def _ca_file(encoded: str) -> str:
    """The cluster's certificate in a file, which is where urllib3 wants it."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            "GKE_CA is no base64: set it to the cluster's clusterCaCertificate as it is shown."
        ) from None
    with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
        file.write(content)
    return str(Path(file.name))
