"""Profiles for the demo accounts and a few colleagues who have none, so that a list shows some."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import msgspec

from local import accounts
from local.plan import PROJECT, Plan
from local.ports import HOST
from local.tls import TLS
from shared.clock import rfc3339
from shared.users.profiles import (
    COLLECTION,
    Avatar,
    Profile,
    Role,
    new_profile,
    role_in,
    to_document,
)

_OWNER = {"Authorization": "Bearer owner"}
# Id, name, role, avatar, days since the invitation and since the last sign-in; disabled if None.
_COLLEAGUES: Final[tuple[tuple[str, str, Role, Avatar, int, int | None], ...]] = (
    ("demoNimaliSilva00000", "Nimali Silva", "super_admin", "koala", 61, 2),
    ("demoKasunFernando000", "Kasun Fernando", "admin", "bird", 33, 1),
    ("demoRuwanJayasuriya0", "Ruwan Jayasuriya", "admin", "frog", 12, None),
)


def introduce(plan: Plan) -> None:
    """Write each profile that is not there yet; a kept one stays as it is."""
    url = f"http://{HOST}:{plan.ports.firestore}/v1/projects/{PROJECT}/databases/(default)"
    with httpx.Client(headers=_OWNER, trust_env=False, verify=TLS) as http:
        for profile in _profiles(plan, datetime.now(UTC)):
            answer = http.post(
                f"{url}/documents/{COLLECTION}",
                params={"documentId": profile.uid},
                json={"fields": {n: _value(v) for n, v in to_document(profile).items()}},
            )
            if answer.status_code != httpx.codes.CONFLICT:
                answer.raise_for_status()


def _profiles(plan: Plan, now: datetime) -> Iterator[Profile]:
    host = f"{HOST}:{plan.ports.auth}"
    for days, each in enumerate(accounts.DEMO):
        uid = accounts.create(host, each)
        since = now - timedelta(days=90 + days)
        yield new_profile(uid, each.email, each.name, role_in(dict(each.claims)), since)
    for uid, name, role, avatar, days, last in _COLLEAGUES:
        email = f"{name.partition(' ')[0].lower()}@shopple.test"
        known = new_profile(uid, email, name, role, now - timedelta(days=days), avatar)
        seen = None if last is None else now - timedelta(days=last)
        yield msgspec.structs.replace(known, last_sign_in_at=seen, disabled=last is None)


def _value(value: Any) -> dict[str, Any]:
    """A field as Firestore's REST interface writes it."""
    if value is None:
        return {"nullValue": None}
    if isinstance(value, bool):
        return {"booleanValue": value}
    if isinstance(value, int):
        return {"integerValue": str(value)}
    if isinstance(value, datetime):
        return {"timestampValue": rfc3339(value)}
    return {"stringValue": value}
