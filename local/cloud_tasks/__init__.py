"""Cloud Tasks on one machine, for the real client library."""

from local.cloud_tasks.service import CloudTasks

__all__ = ["CloudTasks"]
