"""The settings that may change at run time: their shapes, bounds and defaults."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Percent = Annotated[int, Meta(ge=0, le=100)]
Days = Annotated[int, Meta(ge=1, le=3650)]
Dollars = Annotated[int, Meta(ge=0, le=100_000)]
Factor = Annotated[int, Meta(ge=2, le=100)]
# As offers name their retailer: lower case, no spaces, nothing that parts a path.
Retailer = Annotated[str, Meta(min_length=1, max_length=60, pattern="^[^\\sA-Z/]+$")]
Provider = Literal["groq", "gemini", "cerebras", "openrouter", "local"]


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Confidences from which a pair counts as duplicates, and under which a person looks.

    A crawled price that is more than `unlikely_price_factor` times as much or as little as usual
    waits for a person.
    """

    duplicate_confidence: Percent
    review_confidence: Percent
    unlikely_price_factor: Factor


class AutoApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a found offer needs no person: who sells it, how its price moved, how sure the match."""

    enabled: bool
    retailers: Annotated[list[Retailer], Meta(max_length=200)]
    max_price_change_percent: Percent
    min_match_confidence: Percent


class RetentionDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what is over is kept, in days."""

    sessions: Days
    audit_logs: Days
    results: Days
    crawl_results: Days
    deleted_products: Days


class DailyBudgetDollars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each AI provider may cost a day (UTC), in US dollars; with 0 it is not asked."""

    groq: Dollars
    gemini: Dollars
    cerebras: Dollars
    openrouter: Dollars


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting; a change names them all, so that none is reset by being left out."""

    thresholds: Thresholds
    provider_order: Annotated[list[Provider], Meta(min_length=1, max_length=5)]
    daily_budget_dollars: DailyBudgetDollars
    auto_approval: AutoApproval
    retention_days: RetentionDays


DEFAULTS: Final = Configuration(
    thresholds=Thresholds(duplicate_confidence=50, review_confidence=70, unlikely_price_factor=5),
    provider_order=["groq", "gemini", "cerebras", "openrouter", "local"],
    daily_budget_dollars=DailyBudgetDollars(groq=10, gemini=10, cerebras=10, openrouter=10),
    auto_approval=AutoApproval(
        enabled=False, retailers=[], max_price_change_percent=10, min_match_confidence=85
    ),
    retention_days=RetentionDays(
        sessions=30, audit_logs=400, results=7, crawl_results=30, deleted_products=90
    ),
)


class ConfigurationView(msgspec.Struct):
    """The settings as they are; version 0 and no time where all are still the defaults."""

    thresholds: Thresholds
    provider_order: list[Provider]
    daily_budget_dollars: DailyBudgetDollars
    auto_approval: AutoApproval
    retention_days: RetentionDays
    version: int
    updated_at: str | None
