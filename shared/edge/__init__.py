"""What wraps a Cloud Function: declarations, sessions, limits, caching, validation, errors."""

from shared.edge.answer import Answer
from shared.edge.background import DocumentChange, schedule, task, trigger
from shared.edge.declaration import Cached
from shared.edge.endpoint import endpoint
from shared.edge.request import Actor, Form, Request, Session

__all__ = [
    "Actor",
    "Answer",
    "Cached",
    "DocumentChange",
    "Form",
    "Request",
    "Session",
    "endpoint",
    "schedule",
    "task",
    "trigger",
]
