"""The whole local cloud: started together, stopped together, its parts broken one by one."""

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from local.auth import auth, export_accounts
from local.control import Control
from local.firestore import export_documents, firestore, register_trigger
from local.meter import SHAPES_FILE, SHAPES_NAME
from local.plan import ROOT, Plan
from local.probe import answers_http, answers_tcp
from local.process import Command, Process
from local.storage import create_bucket, storage
from local.tls import TLS
from local.valkey import valkey

_DESCRIBE_SECONDS = 60


class Stack:
    """One run of the local cloud; as a context manager it starts on entry and stops on exit."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.control = Control(plan.control_url)
        logs = plan.state / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        saved = plan.save()
        # The slowest first: with few cores the order of the launches matters.
        commands = (
            auth(plan),
            firestore(plan),
            _functions(plan),
            _platform(plan, saved),
            valkey(plan),
            storage(plan),
            _live(plan),
        )
        self._parts = {each.name: Process(each, logs / f"{each.name}.log") for each in commands}

    def environment(self) -> dict[str, str]:
        """The environment of the functions, for whoever wants to act as one."""
        return self.plan.environment()

    def part(self, name: str) -> Process:
        """One part, to stop, kill, pause or start: auth, firestore, functions, platform, …."""
        return self._parts[name]

    def restart_functions(self, **settings: str) -> None:
        """Have the functions run with further settings, until they are started anew without."""
        plan = replace(self.plan, settings={**self.plan.settings, **settings})
        log = self._parts["functions"].log
        self._parts["functions"].stop()
        self._parts["functions"] = Process(_functions(plan), log)
        self._parts["functions"].start()

    @property
    def parts(self) -> list[Process]:
        """All parts, in the order in which they are launched."""
        return list(self._parts.values())

    def start(self, report: Callable[[str, float], None] = lambda _name, _seconds: None) -> None:
        """Start all parts at once; `report` gets each with its seconds. Raises StartFailed.

        What was started is stopped if a part fails.
        """
        self.plan.ports.check()
        try:
            for part in self.parts:
                part.launch()
            for part in reversed(self.parts):
                report(part.name, part.wait_until_ready())
            create_bucket(self.plan)
            if self.plan.triggers:
                self.register_triggers()
        except BaseException:
            self.stop(keep_data=False)
            raise

    def register_triggers(self) -> None:
        """Have Firestore report to each trigger function what it listens to."""
        for function in self.functions():
            if function.get("kind") == "firestore":
                register_trigger(self.plan, function["name"], function["document"])

    def functions(self) -> list[dict[str, Any]]:
        """Each function's name, codebase and declaration, or the error that keeps it away."""
        answer = httpx.get(
            self.plan.functions_url, timeout=_DESCRIBE_SECONDS, trust_env=False, verify=TLS
        )
        answer.raise_for_status()
        described: list[dict[str, Any]] = answer.json()["functions"]
        return described

    def stop(self, *, keep_data: bool = True) -> None:
        """Stop all parts, after saving what they hold if the plan names a data folder."""
        self.control.close()
        if keep_data and self.plan.data is not None:
            self._save(self.plan.data)
        for part in self.parts:
            part.ask_to_stop()
        for part in self.parts:
            part.stop()

    def _save(self, data: Path) -> None:
        for name, export in (("firestore", export_documents), ("auth", export_accounts)):
            if not self._parts[name].running:
                continue
            # Beside the old one first: a failed export must not cost what was kept before.
            fresh, kept, old = data / f"{name}.new", data / name, data / f"{name}.old"
            for leftover in (fresh, old):
                shutil.rmtree(leftover, ignore_errors=True)
            export(self.plan, fresh)
            with suppress(FileNotFoundError):
                kept.rename(old)
            fresh.rename(kept)
            shutil.rmtree(old, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _functions(plan: Plan) -> Command:
    arguments = [sys.executable, "-m", "local.functions", "--root", str(plan.root)]
    arguments += ["--port", str(plan.ports.functions)]
    if plan.reload:
        arguments.append("--reload")
    return Command(
        "functions",
        arguments,
        ready=lambda: answers_http(plan.ports.functions, "/_ready"),
        folder=plan.root,
        environment=plan.environment()
        | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            SHAPES_FILE: str(plan.state / SHAPES_NAME),
        },
    )


def _live(plan: Plan) -> Command:
    return Command(
        "live",
        [sys.executable, "-m", "live", "--port", str(plan.ports.live)],
        ready=lambda: answers_tcp(plan.ports.live),
        folder=ROOT,
        environment=plan.environment() | {"PYTHONUNBUFFERED": "1"},
    )


def _platform(plan: Plan, saved: Path) -> Command:
    ports = plan.ports
    return Command(
        "platform",
        [sys.executable, "-m", "local.platform", str(saved)],
        # The gateway is the last to listen.
        ready=lambda: answers_tcp(ports.gateway),
        folder=ROOT,
        environment={"PYTHONUNBUFFERED": "1"},
    )
