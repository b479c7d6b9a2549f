"""A ready-made line that logs in and lists products, for whoever has just started the cloud."""

import json

from local import accounts
from local.plan import Plan


def curl_line(plan: Plan) -> str:
    """The line for a shell; it keeps its cookie in the run's own folder."""
    sign_in = accounts.sign_in_url(plan.environment()["FIREBASE_AUTH_EMULATOR_HOST"])
    credentials = json.dumps(
        {"email": accounts.ADMIN.email, "password": accounts.PASSWORD, "returnSecureToken": True}
    )
    as_json = "-H 'Content-Type: application/json'"
    body = r"""sed -n 's/.*\("idToken": *"[^"]*"\).*/{\1}/p'"""
    jar = plan.state / "cookies"
    return (
        f"curl -s '{sign_in}' {as_json} -d '{credentials}' | {body}"
        f" | curl -s -c {jar} {as_json} -H 'Origin: {plan.origin}' -d @- -o /dev/null"
        f" {plan.origin}/api/admin/login && curl -s -b {jar} {plan.origin}/api/products"
    )
