"""A key that is none is a wrong setting, not a wrong token."""

import firebase_admin
import pytest

from shared import config
from shared.clients import identity
from shared.errors import ConfigurationError


def test_a_broken_private_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIREBASE_PROJECT_ID", "demo-unit")
    monkeypatch.setenv("SECRET_KEY", "x" * 32)
    monkeypatch.setenv("FIREBASE_CLIENT_EMAIL", "a@demo-unit.iam.gserviceaccount.com")
    monkeypatch.setenv("FIREBASE_PRIVATE_KEY", "-----BEGIN PRIVATE KEY----- canary")
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    for cached in (config.settings, identity._app):
        cached.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="FIREBASE_PRIVATE_KEY") as refused:
            identity.verify_id_token("a.b.c")
    finally:
        for cached in (config.settings, identity._app):
            cached.cache_clear()
    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert not firebase_admin._apps
