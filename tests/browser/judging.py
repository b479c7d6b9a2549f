"""What the browser tests share: words nobody else has, and what is asked of any screen."""

import secrets
from collections.abc import Callable
from typing import Any, Final, Literal

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.polling import eventually

# Other tests run beside these: a deadline, not an expectation.
WORK_SECONDS = 120

_ARRIVED = """() => Promise.allSettled(document.getAnimations()
    .filter((each) => each instanceof CSSTransition).map((each) => each.finished))"""

# In dark what axe judges by colours; all its other rules ask what was asked in light already.
_SCHEMES: Final[tuple[tuple[Literal["light", "dark"], tuple[str, ...]], ...]] = (
    ("light", ()),
    ("dark", ("color-contrast", "link-in-text-block")),
)

NewPage = Callable[..., Page]
Json = dict[str, Any]


def new_word() -> str:
    """A word that no other product holds."""
    return "".join(secrets.choice("bcdfghjklmnprstvz") + secrets.choice("aeiou") for _ in range(6))


def good(answer: httpx.Response) -> Json:
    """The body of an answer that must be 2xx."""
    assert answer.is_success, f"{answer.status_code} {answer.text}"
    told: Json = answer.json()
    return told


def listed(http: httpx.Client, word: str) -> Json:
    """The product whose name holds the word, once the catalogue lists it."""

    def found() -> Json | None:
        answer = http.get("/api/products", params={"q": word})
        # What was uploaded before may keep the database busy.
        products = answer.json()["products"] if answer.is_success else []
        return products[0] if products else None

    return eventually(found, timeout_seconds=WORK_SECONDS)


def settled(page: Page) -> None:
    """Every region has its data, and every skeleton is gone."""
    expect(page.locator("[aria-busy=true], .skeleton")).to_have_count(0)


def broken_rules(page: Page, *only: str) -> list[str]:
    """The rules of accessibility that the screen breaks seriously, and where."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = {"type": "rule", "values": only}
    # Half a megabyte of script, which stays where only the part behind the # changes.
    judge = Axe("") if page.evaluate("'axe' in window") else Axe()
    found = judge.run(page, options=options)
    return [
        f"{page.url}: {violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def broken_in_both_schemes(page: Page) -> list[str]:
    """The same, in light and in dark: what is shown stays, only its colours change."""
    broken = []
    for scheme, only in _SCHEMES:
        page.emulate_media(color_scheme=scheme)
        # Colours that are still on their way from one scheme to the other are in neither.
        page.evaluate(_ARRIVED)
        broken += [f"{scheme}: {each}" for each in broken_rules(page, *only)]
    return broken
