"""What Slack is told of a crawl."""

from collections.abc import Callable

from shared.crawling.ingestion.models import Ingestion

_SIGNS = {"completed": "✅", "stopped": "⏹", "failed": "❌"}


def text(ingestion: Ingestion, link: str, escape: Callable[[str], str], *, again: bool) -> str:
    """One message: how the crawl ended, what became of what it found, and where to look."""
    what = f"{escape(ingestion.retailer)}, {escape(ingestion.category)}"
    failed = ingestion.status == "failed"
    sign = _SIGNS["failed" if failed else ingestion.job_status]
    attempt = f" at attempt {ingestion.attempt}" if ingestion.attempt > 1 else ""
    lines = [f"{sign} Crawl of *{what}*: {ingestion.job_status}{attempt}"]
    if again:
        lines.append("(This may be the second time that you read it.)")
    if ingestion.error:
        lines.append(f"Why: {escape(ingestion.error)}")
    if ingestion.rows is None:
        lines.append("It handed over no result.")
    else:
        lines.append(_found(ingestion))
        lines.append(_became(ingestion))
    if failed:
        lines.append(f"The result could not be taken in: {escape(ingestion.failure or '')}")
    lines.append(f"<{link}|Results>")
    return "\n".join(lines)


def _found(ingestion: Ingestion) -> str:
    part = "" if ingestion.whole else ", not the whole of it"
    pages = f"{ingestion.pages_done} pages read, {ingestion.pages_failed} failed"
    return f"{ingestion.rows} products found{part}; {pages}."


def _became(ingestion: Ingestion) -> str:
    counts = ingestion.counts
    return (
        f"{counts.new} new, {counts.changed} changed, {counts.unchanged} unchanged, "
        f"{counts.quarantined} quarantined, {counts.failed} failed."
    )
