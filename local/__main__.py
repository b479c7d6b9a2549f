"""The whole product on this machine: `python -m local`, ended by Ctrl-C.

Each port can be chosen with a variable of its own (PORT, FIRESTORE_PORT, …); DATA=DIR keeps the
data between runs; LOG_LEVEL=DEBUG has the functions' log say more.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from local import accounts, foreground
from local.curl_line import curl_line
from local.demo import people, retailers, snapshot
from local.plan import AI_KEYS, Plan
from local.ports import Ports
from local.prepare import prepare
from local.stack import Stack

_WATCH_SECONDS = 0.3


def main(environment: Mapping[str, str]) -> int:
    """Run until told to stop; 0 after that, 1 if a part fails to start, 2 for its port."""
    data = Path(environment["DATA"]).expanduser().absolute() if environment.get("DATA") else None

    def program(state: Path) -> int:
        ports = Ports.read(environment)
        ports.check()
        passed_on = ("LOG_LEVEL", "AI_PROVIDER", "AI_MODELS", *AI_KEYS)
        settings = {name: environment[name] for name in passed_on if environment.get(name)}
        filled = snapshot.ensure()
        _run(Plan(ports, state, data=data, snapshot=filled, settings=settings, reload=True))
        return 0

    return foreground.run(program)


def _run(plan: Plan) -> None:
    began = time.monotonic()
    if plan.data is not None:
        plan.data.mkdir(parents=True, exist_ok=True)
    stack = Stack(plan)
    print("starting", flush=True)
    try:
        stack.start(lambda name, seconds: print(f"  {name:<10} {seconds:5.1f} s", flush=True))
        filling = time.monotonic()
        prepare(stack)
        people.introduce(plan)
        retailers.introduce(plan)
        print(f"  {'data':<10} {time.monotonic() - filling:5.1f} s", flush=True)
        print(_welcome(stack, time.monotonic() - began), flush=True)
        _watch(stack)
    finally:
        # A second Ctrl-C must not leave half of the parts running.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("\nstopping", flush=True)
        stack.stop()


def _watch(stack: Stack) -> None:
    output = _new_lines(stack.part("functions").log)
    gone: set[str] = set()
    while True:
        for line in next(output):
            # The functions' own log lines are JSON; what is not is a traceback to be seen.
            if not line.startswith("{"):
                print(line, flush=True)
        for part in stack.parts:
            if not part.running and part.name not in gone:
                gone.add(part.name)
                print(f"{part.name} has ended; its log is {part.log}", flush=True)
        time.sleep(_WATCH_SECONDS)


def _new_lines(log: Path) -> Iterator[list[str]]:
    with log.open(errors="replace") as file:
        rest = ""
        while True:
            *lines, rest = (rest + file.read()).split("\n")
            yield lines


def _welcome(stack: Stack, seconds: float) -> str:
    plan = stack.plan
    broken = [
        f"  {each['name']} cannot be loaded: {each['error']}"
        for each in stack.functions()
        if "error" in each
    ]
    lines = [
        *broken,
        f"ready after {seconds:.1f} s",
        "",
        f"  console  {plan.origin}",
        f"  API      {plan.origin}/docs",
        f"  Slack    {plan.origin}/__/local/slack",
        f"  mail     {plan.origin}/__/local/mail",
        *(f"  login    {each.email} / {each.password}" for each in accounts.DEMO),
        f"  logs     {plan.state / 'logs'}",
        "",
        "log in and list products from another terminal:",
        "",
        curl_line(plan),
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(os.environ))
