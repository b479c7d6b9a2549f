"""What Hosting answers under /__/, and beside it the console's help for this machine only."""

from collections.abc import Callable
from typing import Any

from local.accounts import DEMO
from local.plan import PROJECT, Plan
from local.ports import HOST

Page = Callable[[], dict[str, Any]]


def pages(plan: Plan) -> dict[str, Page]:
    """The JSON pages by path: the project's public configuration and the demo logins."""
    return {
        "/__/firebase/init.json": lambda: {
            "projectId": PROJECT,
            "apiKey": "local",
            "authDomain": f"{HOST}:{plan.ports.gateway}",
            "authEmulatorUrl": auth_url(plan),
        },
        "/__/local.json": lambda: {
            "demo": [
                {
                    "label": f"Sign in as {account.name.lower()}",
                    "email": account.email,
                    "password": account.password,
                }
                for account in DEMO
            ],
        },
    }


def auth_url(plan: Plan) -> str:
    """Where the Auth emulator is; the console's pages must be allowed to call it."""
    return f"http://{HOST}:{plan.ports.auth}"
