"""The Kubernetes Job that runs one pod once; pure."""

from typing import Any, Final

import msgspec

APP: Final = "shopple-crawl"
JOB_LABEL: Final = "shopple.crawl/job"
TOKEN_LABEL: Final = "shopple.crawl/token"  # noqa: S105 - a number that fences, no secret
SELECTOR: Final = f"app={APP}"
# Long enough for somebody to look at a failed pod's log, short enough to leave nothing behind.
KEPT_SECONDS: Final = 600
# Beyond its own time a pod may store what it found.
GRACE_SECONDS: Final = 120
# A pod that is told to end keeps what it found meanwhile.
ENDING_SECONDS: Final = 30
# The image's own user.
_USER: Final = 10001


class Launch(msgspec.Struct, frozen=True):
    """One attempt at a crawl: `seconds` are the crawl's own, `browser` says what it may need."""

    job_id: str
    token: int
    seconds: int
    browser: bool


class Place(msgspec.Struct, frozen=True):
    """Where pods run, of what they are made, how long they may take to begin, whom they tell."""

    namespace: str
    image: str
    account: str
    report_url: str
    audience: str
    bucket: str
    start_seconds: float


def name_of(launch: Launch) -> str:
    """The same for the same launch, so that one that comes twice starts one pod."""
    return f"crawl-{launch.job_id}-{launch.token}"


def manifest(launch: Launch, place: Place) -> dict[str, Any]:
    """The batch/v1 Job; it never tries again by itself, since a new attempt needs a new token."""
    labels = {"app": APP, JOB_LABEL: launch.job_id, TOKEN_LABEL: str(launch.token)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name_of(launch),
            "namespace": place.namespace,
            "labels": labels,
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": launch.seconds + int(place.start_seconds) + GRACE_SECONDS,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod(launch, place),
            },
        },
    }


def _pod(launch: Launch, place: Place) -> dict[str, Any]:
    return {
        "restartPolicy": "Never",
        "serviceAccountName": place.account,
        # Google's metadata server knows the account; the cluster's own token is of no use.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": ENDING_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(launch, place)],
        # The only place that can be written to: rows on their way, and a browser's profile.
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}}],
    }


def _container(launch: Launch, place: Place) -> dict[str, Any]:
    return {
        "name": "pod",
        "image": place.image,
        "args": [
            *("--report-url", f"{place.report_url}/internal/crawler/jobs/{launch.job_id}/report"),
            *("--audience", place.audience),
            *("--token", str(launch.token)),
            *("--bucket", place.bucket),
        ],
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "TMPDIR", "value": "/tmp"}],  # noqa: S108 - a volume of the pod's own
        "resources": _resources(browser=launch.browser),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 - likewise
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _resources(*, browser: bool) -> dict[str, Any]:
    """A crawl by HTTP takes little; Chromium takes what a page asks for."""
    if browser:
        limits, asked = ("2", "3Gi"), ("500m", "1Gi")
    else:
        limits, asked = ("1", "512Mi"), ("250m", "256Mi")
    return {
        "limits": {"cpu": limits[0], "memory": limits[1], "ephemeral-storage": "3Gi"},
        "requests": {"cpu": asked[0], "memory": asked[1], "ephemeral-storage": "256Mi"},
    }
