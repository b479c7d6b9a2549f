"""Path templates: what fits, and in which order rewrites stand."""

import pytest

from shared.edge import paths

TEMPLATE = "/api/products/{product_id}/matches"


def test_a_parameter_is_one_segment() -> None:
    assert paths.match(TEMPLATE, "/api/products/a-1/matches") == {"product_id": "a-1"}
    assert paths.match(TEMPLATE, "/api/products/a-1/matches/") == {"product_id": "a-1"}
    assert paths.match(TEMPLATE, "/api/products/caf\u00e9 x/matches") == {
        "product_id": "caf\u00e9 x"
    }
    assert paths.match("/a.b/{x}/{y}", "/a.b/1/2") == {"x": "1", "y": "2"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/products//matches",
        "/api/products/a/b/matches",
        "/api/products/a/matches/more",
        "/x/api/products/a/matches",
        "/api/products/./matches",
        "/api/products/../matches",
        "/api/products/__id__/matches",
        "/api/products/a\x00/matches",
        "/api/products/a\nb/matches",
        "/api/products/\ud800/matches",
        "/api/products/" + "a" * 129 + "/matches",
        "/API/products/a/matches",
        "/api/products/a/matches\n",
    ],
    ids=repr,
)
def test_what_can_be_no_document_id_fits_nowhere(path: str) -> None:
    assert paths.match(TEMPLATE, path) is None


def test_a_dot_in_a_template_is_a_dot() -> None:
    assert paths.match("/openapi.json", "/openapiXjson") is None


def test_dots_within_an_id_are_fine() -> None:
    assert paths.match("/a/{x}", "/a/..b") == {"x": "..b"}
    assert paths.match("/a/{x}", "/a/__b") == {"x": "__b"}


def test_without_a_template_every_path_fits() -> None:
    assert paths.match(None, "/anything/at all") == {}


def test_literals_stand_before_parameters() -> None:
    templates = ["/a/{x}", "/a/{x}/c", "/a/b", "/a/b/{y}", "/a"]
    ordered = sorted(templates, key=paths.specificity)
    assert ordered == ["/a", "/a/b", "/a/b/{y}", "/a/{x}", "/a/{x}/c"]


def test_globs_and_names_come_from_the_template() -> None:
    assert paths.glob("/a/{x}/b/{y}") == "/a/*/b/*"
    assert paths.parameters("/a/{x}/b/{y}") == ["x", "y"]
