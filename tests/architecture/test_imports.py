"""Which part may import which, and who may read the environment."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest

from tools.declarations import ROOT

SOURCES = sorted(
    path
    for name in ("shared", "functions", "crawler_pod", "live")
    for path in (ROOT / name).rglob("*.py")
)
# Beside this repository's own folders, nothing that exists only where it is developed.
OUTSIDE_THE_PRODUCT = {"functions", "local", "scheduler", "tests", "tools"}
DOMAINS = (
    "shared.crawling",
    "shared.classification",
    "shared.notes",
    "shared.prices",
    "shared.products",
    "shared.system",
    "shared.users",
)
# Who may know whom, domain by domain; the audit trail is the system's and serves them all.
NEIGHBOURS = {
    "shared.crawling": {"shared.prices", "shared.products", "shared.system"},
    "shared.classification": {"shared.products", "shared.system"},
    "shared.notes": {"shared.system"},
    "shared.prices": {"shared.products", "shared.system"},
    "shared.products": {"shared.system"},
    "shared.users": {"shared.notes", "shared.products", "shared.system"},
}
FOUNDATIONS = (
    "shared.clock",
    "shared.config",
    "shared.errors",
    "shared.logs",
    "shared.money",
    "shared.setting_texts",
)
# The AI providers', each of them a second of a cold start.
SDKS = ("google.genai", "groq", "openai")
# What decides by rules alone, without I/O, clock or environment.
PURE = (
    "shared.crawling.ingestion.judging",
    "shared.crawling.ingestion.messages",
    "shared.crawling.ingestion.models",
    "shared.crawling.background_schemas",
    "shared.crawling.hosts",
    "shared.crawling.lifecycle",
    "shared.crawling.models",
    "shared.crawling.pod_manifest",
    "shared.crawling.recipes",
    "shared.crawling.results",
    "shared.crawling.recipe_checks",
    "shared.crawling.schedule_models",
    "shared.crawling.selectors",
    "shared.crawling.shelf_price",
    "shared.crawling.shelf_words",
    "shared.crawling.slots",
    "shared.classification.circuit_rules",
    "shared.classification.fitting",
    "shared.classification.local_model",
    "shared.classification.models",
    "shared.classification.neighbours",
    "shared.classification.product_text",
    "shared.classification.sealing",
    "shared.classification.steering",
    "shared.classification.synonyms",
    "shared.classification.wording",
    "shared.notes.models",
    "shared.prices.alert_messages",
    "shared.prices.alert_rules",
    "shared.prices.dashboard",
    "shared.prices.judging",
    "shared.prices.models",
    "shared.prices.statistics",
    "shared.prices.summaries",
    "shared.prices.trend",
    "shared.products.matching",
    "shared.products.merging",
    "shared.products.proposal_models",
    "shared.products.proposal_rules",
    "shared.products.search_entries",
    "shared.products.search_finding",
    "shared.products.search_placing",
    "shared.products.search_ranking",
    "shared.system.configuration_records",
    "shared.system.retention_rules",
    "shared.system.weekly_text",
    "shared.users.activity_figures",
)


# The pod is an image of its own: what it takes along of the common package is little, and nothing
# that needs the product's settings.
OF_THE_POD = (
    "shared.clients.guarded_network",
    "shared.clock",
    "shared.crawling.background_schemas",
    "shared.crawling.hosts",
    "shared.crawling.lifecycle",
    "shared.crawling.models",
    "shared.crawling.recipes",
    "shared.crawling.results",
    "shared.crawling.selectors",
    "shared.crawling.shelf_price",
    "shared.crawling.shelf_words",
    "shared.money",
    "shared.products.currencies",
    "shared.products.price_text",
)


@cache
def graph() -> grimp.ImportGraph:
    # A type is not a dependency: it is gone when the program runs.
    return grimp.build_graph("shared", cache_dir=None, exclude_type_checking_imports=True)


def reaches(importer: str, imported: str) -> list[str]:
    """One way, however long, on which a part imports the other."""
    for chain in sorted(
        graph().find_shortest_chains(importer=importer, imported=imported, as_packages=True)
    ):
        return list(chain)
    return []


def folder(module: str) -> str:
    return ".".join(module.split(".")[:2])


def direct(importer: str) -> set[str]:
    """The parts of `shared` that a part's modules name."""
    modules = {importer, *graph().find_descendants(importer)}
    imported = {each for m in modules for each in graph().find_modules_directly_imported_by(m)}
    return {folder(each) for each in imported} - {importer}


@pytest.mark.parametrize("part", ["shared.edge", *DOMAINS])
def test_clients_know_no_edge_and_no_domain(part: str) -> None:
    assert reaches("shared.clients", part) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_edge_knows_no_domain(domain: str) -> None:
    assert reaches("shared.edge", domain) == []


@pytest.mark.parametrize("part", ["shared.edge", "shared.clients", *DOMAINS])
@pytest.mark.parametrize("foundation", FOUNDATIONS)
def test_foundations_know_nothing_above_them(foundation: str, part: str) -> None:
    assert reaches(foundation, part) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_knows_only_the_neighbours_that_it_may(domain: str) -> None:
    assert direct(domain) & set(DOMAINS) <= NEIGHBOURS.get(domain, set())


@pytest.mark.parametrize("rules", PURE)
@pytest.mark.parametrize("part", ["shared.edge", "shared.clients", "shared.config", "shared.clock"])
def test_rules_reach_nothing_that_acts(rules: str, part: str) -> None:
    assert reaches(rules, part) == []


def test_the_product_needs_nothing_of_the_workshop() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in SOURCES
        for name in imports(path)
        if name.partition(".")[0] in OUTSIDE_THE_PRODUCT
    }

    assert found == set()


def test_a_function_goes_through_the_edge_and_the_domains() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "functions").rglob("*.py"))
        for name in imports(path)
        if name.startswith(("shared.clients", "google", "firebase_admin", "upstash"))
    }

    assert found == set()


def test_who_talks_to_a_provider_imports_its_sdk_and_no_other() -> None:
    named = {
        path.relative_to(ROOT / "shared"): {
            sdk for sdk in SDKS for name in imports(path) if f"{name}.".startswith(f"{sdk}.")
        }
        for path in sorted((ROOT / "shared").rglob("*.py"))
    }

    users = {str(path): sdks for path, sdks in named.items() if sdks}
    assert set(users) == {
        f"clients/ai/{name}.py" for name in ("gemini", "groq", "openai_compatible")
    }
    assert [path for path, sdks in users.items() if len(sdks) > 1] == []


def test_the_pod_takes_along_little_and_the_functions_nothing_of_it() -> None:
    pod = {name for path in (ROOT / "crawler_pod").rglob("*.py") for name in imports(path)}
    taken = {name for name in pod if name.startswith("shared.")}
    others = {path for path in SOURCES if "crawler_pod" not in path.parts}

    assert {name for name in taken if not name.startswith(OF_THE_POD)} == set()
    for part in OF_THE_POD:
        assert reaches(part, "shared.config") == []
    assert not {path for path in others for name in imports(path) if "crawler_pod" in name}


def test_only_the_settings_read_the_environment() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if environment(node)
    }

    # crawl4ai is configured by the environment alone, which the pod sets before it imports it.
    assert found == {"shared/config.py", "crawler_pod/browser_packages.py"}


def environment(node: ast.AST) -> bool:
    names = ("environ", "getenv", "environb")
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    # What a request brings along by that name is another thing.
    return (
        isinstance(node, ast.Attribute)
        and node.attr in names
        and ast.unparse(node.value) != "self._http"
    )


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
