"""Keys at rest: bound to their provider, and master keys that follow each other."""

import pytest

from shared.classification.sealing import open_sealed, seal
from shared.errors import ConfigurationError

OLD, NEW = "o" * 32, "n" * 32
KEY = "gsk_canary0123456789"


def test_what_was_sealed_is_opened_and_shows_nothing() -> None:
    sealed = seal(KEY, "groq", [NEW])
    opened = open_sealed(sealed, "groq", [NEW])
    assert (opened.key, opened.is_outdated) == (KEY, False)
    assert KEY not in sealed
    assert KEY not in repr(opened)


def test_no_other_provider_opens_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_sealed(seal(KEY, "groq", [NEW]), "gemini", [NEW])
    assert KEY not in str(caught.value)


def test_an_older_master_key_still_opens_until_it_is_taken_away() -> None:
    sealed = seal(KEY, "groq", [OLD])
    opened = open_sealed(sealed, "groq", [NEW, OLD])
    assert (opened.key, opened.is_outdated) == (KEY, True)
    with pytest.raises(ConfigurationError, match="KEYS_MASTER_KEY"):
        open_sealed(sealed, "groq", [NEW])


def test_without_a_master_key_nothing_is_sealed_and_nothing_opened() -> None:
    for call in (lambda: seal(KEY, "groq", []), lambda: open_sealed("x", "groq", [])):
        with pytest.raises(ConfigurationError, match="KEYS_MASTER_KEY is missing"):
            call()


def test_what_somebody_changed_is_not_opened() -> None:
    sealed = seal(KEY, "groq", [NEW])
    with pytest.raises(ConfigurationError):
        open_sealed(sealed[:-4] + "AAA=", "groq", [NEW])
