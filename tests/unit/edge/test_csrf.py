"""CSRF tokens belong to one session under one key."""

import pytest
from msgspec.structs import replace

from shared.edge import csrf
from shared.edge.request import Session
from shared.errors import Forbidden
from tests.unit.edge.conftest import SECRET, Configure

SESSION = Session("sid", "uid", "a@b.example", admin=True, super_admin=False, expires_at=1.0)


def test_a_session_has_one_token_for_all_its_life(configure: Configure) -> None:
    configure()
    token = csrf.token(SESSION)
    csrf.check_token(replace(SESSION, expires_at=2.0), token)
    assert len(token) == 64


def test_another_sessions_token_is_refused(configure: Configure) -> None:
    configure()
    foreign = csrf.token(replace(SESSION, id="other"))
    for given in (None, "", foreign, csrf.token(SESSION)[:-1], "caf\u00e9", "\ud800"[:0]):
        with pytest.raises(Forbidden):
            csrf.check_token(SESSION, given)


def test_the_token_depends_on_the_key(configure: Configure) -> None:
    configure()
    token = csrf.token(SESSION)
    configure(SECRET_KEY=SECRET[::-1])
    with pytest.raises(Forbidden):
        csrf.check_token(SESSION, token)


def test_the_session_id_cannot_be_read_from_the_token(configure: Configure) -> None:
    configure()
    assert SESSION.id not in csrf.token(SESSION)


def test_an_origin_must_be_ones_own_and_may_be_absent() -> None:
    own = ("https://site.example", "https://admin.example")
    csrf.check_origin(None, own)
    csrf.check_origin("https://admin.example", own)
    for origin in ("null", "", "https://admin.example.evil", "https://ADMIN.example/"):
        with pytest.raises(Forbidden):
            csrf.check_origin(origin, own)
