"""What a fresh local cloud is filled with beside its data: queues, jobs and accounts."""

import os
import subprocess
import sys

from local import accounts
from local.plan import ROOT
from local.process import StartFailed
from local.stack import Stack


def prepare(stack: Stack) -> None:
    """Sync queues and jobs and create the demo accounts."""
    environment = stack.environment()
    with subprocess.Popen(
        [sys.executable, "-m", "scheduler.sync"],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as sync:
        for account in accounts.DEMO:
            accounts.create(environment["FIREBASE_AUTH_EMULATOR_HOST"], account)
        output, _ = sync.communicate()
    if sync.returncode != 0:
        raise StartFailed(f"Queues and jobs could not be synced:\n{output}")
