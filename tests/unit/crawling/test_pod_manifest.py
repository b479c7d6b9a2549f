"""The Job's manifest, against Kubernetes' own schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from kubernetes import client

from shared.crawling.pod_manifest import Launch, Place, manifest

# Of Kubernetes' published OpenAPI document, what a Job consists of.
SCHEMA = json.loads(Path(__file__).with_name("kubernetes_job.schema.json").read_text())
PLACE = Place(
    namespace="crawler",
    image="europe-docker.pkg.dev/p/crawler@sha256:0",
    account="crawler-pod",
    report_url="https://region-project.cloudfunctions.net/crawl_report",
    audience="https://region-project.cloudfunctions.net/crawl_report",
    bucket="bucket",
    start_seconds=300.0,
)
LAUNCH = Launch("0123456789abcdef0123", 2, seconds=3600, browser=False)


@pytest.mark.parametrize("browser", [False, True])
def test_the_manifest_is_valid_by_kubernetes_own_schema(*, browser: bool) -> None:
    job = manifest(Launch("0123456789abcdef0123", 1, 60, browser), PLACE)

    assert [str(each.message) for each in Draft7Validator(SCHEMA).iter_errors(job)] == []
    # And by the client's models, which are made of the same document: nothing is lost, nothing
    # has another type.
    api: Any = client.ApiClient()
    read = api.deserialize(json.dumps(job), "V1Job", "application/json")
    assert api.sanitize_for_serialization(read) == job


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.backoffLimit", "0"),
        ("spec.parallel", 1),
        ("spec.template.spec.containers", {}),
        ("spec.template.spec.restart", "Never"),
        ("metadata.labels", []),
    ],
)
def test_the_schema_would_find_a_mistake(path: str, value: Any) -> None:
    job = manifest(LAUNCH, PLACE)
    *parents, last = path.split(".")
    place = job
    for name in parents:
        place = place[name]
    place[last] = value

    assert list(Draft7Validator(SCHEMA).iter_errors(job))


def test_a_pod_may_do_nothing_that_it_need_not() -> None:
    job = manifest(LAUNCH, PLACE)
    spec = job["spec"]["template"]["spec"]
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]["limits"]) == {"cpu", "memory", "ephemeral-storage"}


def test_a_launch_has_one_name_and_never_tries_again_by_itself() -> None:
    first, again = manifest(LAUNCH, PLACE), manifest(LAUNCH, PLACE)
    next_one = manifest(Launch(LAUNCH.job_id, 3, 3600, browser=False), PLACE)

    assert first == again
    assert first["metadata"]["name"] != next_one["metadata"]["name"]
    assert len(first["metadata"]["name"]) <= 63
    assert first["spec"]["backoffLimit"] == 0
    assert first["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert first["spec"]["activeDeadlineSeconds"] > 3600
    assert first["spec"]["ttlSecondsAfterFinished"] > 0
