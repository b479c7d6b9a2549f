"""Cloud Scheduler on one machine, for the real client library."""

from local.cloud_scheduler.service import CloudScheduler

__all__ = ["CloudScheduler"]
