"""Providers' keys at rest: each sealed under a key of its own, made of a master key and its name.

What was sealed for one provider cannot be opened for another, even by whoever may write to the
database. The newest master key seals; older ones still open, so that they can be replaced while
the product runs.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

_PURPOSE: Final = b"shopple provider key: "
_KEY_BYTES: Final = 32


class Opened(msgspec.Struct, frozen=True):
    """A key in the clear, and whether an older master key than the newest sealed it."""

    key: str
    is_outdated: bool

    def __repr__(self) -> str:
        return "Opened(***)"


def seal(key: str, provider: str, master_keys: Sequence[str]) -> str:
    """The key as it is stored; raises ConfigurationError where there is no master key."""
    _check(master_keys)
    return _fernet(master_keys[0], provider).encrypt(key.encode()).decode()


def open_sealed(sealed: str, provider: str, master_keys: Sequence[str]) -> Opened:
    """The stored key; raises ConfigurationError where no master key opens it."""
    from cryptography.fernet import InvalidToken, MultiFernet

    _check(master_keys)
    newest, *_ = fernets = [_fernet(master, provider) for master in master_keys]
    try:
        key = MultiFernet(fernets).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise ConfigurationError(
            f"KEYS_MASTER_KEY opens the stored key of {provider} with none of its keys: name the "
            "one that sealed it as well, or set the provider's key anew."
        ) from None
    try:
        newest.decrypt(sealed.encode())
    except InvalidToken:
        return Opened(key, is_outdated=True)
    return Opened(key, is_outdated=False)


def _check(master_keys: Sequence[str]) -> None:
    if not master_keys:
        raise ConfigurationError(
            "KEYS_MASTER_KEY is missing: set it to at least 32 random characters."
        )


def _fernet(master: str, provider: str) -> "Fernet":
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(
        algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE + provider.encode()
    )
    return Fernet(urlsafe_b64encode(derived.derive(master.encode())))
