"""Trigger: a crawl's job was written."""

from shared.edge import DocumentChange, trigger


@trigger(__name__, document="crawl_jobs/{job_id}")
def on_crawl_job_written(change: DocumentChange) -> None:
    """Has the rows taken in by a task, where this write ended the job."""
    from shared.crawling.ingestion import reacting

    reacting.job_written(change.parameters["job_id"], change.before, change.after)
