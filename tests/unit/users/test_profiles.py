"""Profiles: what changes count, what the claims mirror, and a picture for each avatar."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from defusedxml.ElementTree import fromstring

from local.plan import ROOT
from shared.users import profiles
from shared.users.profiles import AVATARS, Profile, claims_of, new_profile, role_in

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PICTURES = ROOT / "console" / "avatars"


def profile(**fields: Any) -> Profile:
    known = new_profile("u1", "a@b.test", "A", "admin", NOW)
    return known.changed(**fields) if fields else known


def test_only_role_and_access_count_as_rights() -> None:
    known = profile()
    assert known.changed(name="A", role="admin") is known
    named = known.changed(name="B", avatar="owl")
    assert (named.version, named.rights) == (2, 1)
    for change in ({"role": "super_admin"}, {"role": "none"}, {"disabled": True}):
        changed = known.changed(**change, name="B")
        assert (changed.version, changed.rights) == (2, 2)


@pytest.mark.parametrize(
    ("fields", "claims"),
    [
        ({}, {"admin": True}),
        ({"role": "super_admin"}, {"admin": True, "super_admin": True}),
        ({"role": "none"}, {}),
        ({"disabled": True}, {}),
        ({"role": "super_admin", "disabled": True}, {}),
    ],
)
def test_claims_mirror_the_role_of_whoever_is_admitted(
    fields: dict[str, Any], claims: dict[str, bool]
) -> None:
    known = profile(**fields)
    assert claims_of(known) == claims
    assert known.admitted == bool(claims)
    assert role_in(claims) == (known.role if known.admitted else "none")


def test_a_document_holds_the_whole_profile() -> None:
    known = profile(name="B", role="super_admin")
    assert profiles.from_document("u1", profiles.to_document(known)) == known
    assert "uid" not in profiles.to_document(known)


def test_whoever_chose_no_avatar_has_always_the_same() -> None:
    given = {profiles.avatar_for(f"user-{number}") for number in range(300)}
    assert given == set(AVATARS)
    assert profiles.avatar_for("user-1") == profiles.avatar_for("user-1")


def test_every_avatar_is_a_small_picture_that_does_nothing() -> None:
    assert {path.stem for path in PICTURES.iterdir()} == set(AVATARS)
    shapes = {"svg", "g", "circle", "ellipse", "path"}
    for path in PICTURES.iterdir():
        assert path.stat().st_size < 2000
        root: ET.Element = fromstring(path.read_text())
        for element in root.iter():
            assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in shapes
            assert not [name for name in element.attrib if name.startswith("on") or "href" in name]
