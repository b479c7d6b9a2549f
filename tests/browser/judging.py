"""What the browser tests ask of any screen."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


def settled(page: Page) -> None:
    """Every region has its data, and every skeleton is gone."""
    expect(page.locator("[aria-busy=true], .skeleton")).to_have_count(0)


def broken_rules(page: Page) -> list[str]:
    """The rules of accessibility that the screen breaks seriously, and where."""
    found = Axe().run(page)
    return [
        f"{page.url}: {violation['id']}: {[node['target'] for node in violation['nodes']]}"
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
