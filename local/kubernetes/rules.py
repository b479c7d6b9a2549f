"""What an API server says of Jobs: their states, and its refusals."""

import re
from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft7Validator

# The server's own rules beyond the schema, as far as our Jobs meet them.
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9./_-]+)(=|!=)(.*)")
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "batch/v1"},
        "kind": {"const": "Job"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "required": ["template"],
            "properties": {
                "backoffLimit": {"type": "integer", "minimum": 0},
                "activeDeadlineSeconds": {"type": "integer", "minimum": 1},
                "ttlSecondsAfterFinished": {"type": "integer", "minimum": 0},
                "template": {
                    "type": "object",
                    "required": ["spec"],
                    "properties": {
                        "spec": {
                            "type": "object",
                            "required": ["containers", "restartPolicy"],
                            "properties": {
                                "restartPolicy": {"enum": ["Never", "OnFailure"]},
                                "containers": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {"required": ["name", "image"]},
                                },
                            },
                        }
                    },
                },
            },
        },
    },
}


class Refusal(Exception):
    """The server's answer to what it does not do: a status and the reason's own word."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    def body(self) -> dict[str, Any]:
        """The Status object that an API server sends."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "code": self.status,
        }


def check_job(job: Any) -> str:
    """The name of a Job that may be; raises Refusal as the server does."""
    for trouble in Draft7Validator(_SCHEMA).iter_errors(job):
        where = ".".join(map(str, trouble.absolute_path))
        raise Refusal(422, "Invalid", f"Job.batch is invalid: {where or 'Job'}: {trouble.message}")
    name = str(job["metadata"]["name"])
    if not _NAME.fullmatch(name):
        raise Refusal(422, "Invalid", f'Job.batch "{name}" is invalid: metadata.name')
    for value in job["metadata"].get("labels", {}).values():
        if not isinstance(value, str) or not _LABEL_VALUE.fullmatch(value):
            raise Refusal(422, "Invalid", f'Job.batch "{name}" is invalid: metadata.labels')
    return name


def over_quota(name: str, used: int, limited: int) -> str:
    """What the server says of a Job for which its namespace's quota has no room."""
    counted = f"requested: count/jobs.batch=1, used: {used}, limited: {limited}"
    return f'jobs.batch "{name}" is forbidden: exceeded quota: crawls, {counted}'


def fits(labels: Mapping[str, str], selector: str) -> bool:
    """Whether labels fit a selector of equalities; raises Refusal for another kind."""
    for part in filter(None, selector.split(",")):
        found = _REQUIREMENT.fullmatch(part)
        if found is None:
            raise Refusal(400, "BadRequest", f"unable to parse requirement: {part}")
        key, comparison, value = found.groups()
        if (labels.get(key) == value) != (comparison == "="):
            return False
    return True
