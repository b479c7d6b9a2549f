"""How often a task of each queue is tried: the queues are made so, and a task knows its last."""

from typing import Final

ATTEMPTS: Final = {
    "matching": 30,
    "statistics": 30,
    "uploads": 10,
    "exports": 5,
    "prices": 30,
    "users": 30,
    "notifications": 20,
    "rematching": 10,
    "classification": 20,
    "schedules": 10,
    "ingestion": 10,
    "crawls": 12,
}
