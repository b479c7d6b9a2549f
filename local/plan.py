"""What one run of the local cloud is made of: ports, folders and the functions' environment."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.ports import HOST, Ports

ROOT = Path(__file__).parent.parent

PROJECT = "demo-shopple"
BUCKET = f"{PROJECT}.appspot.com"
INVOKER = f"tasks-invoker@{PROJECT}.iam.gserviceaccount.com"
POD = f"crawler-pod@{PROJECT}.iam.gserviceaccount.com"
CRAWLER_NAMESPACE = "crawler"
KUBERNETES_TOKEN = "local-kubernetes-token"  # noqa: S105 - guards nothing but this machine's loopback
AUDIENCE = f"https://internal.{PROJECT}"
# The gateway calls functions from an address of its own, so that one that it forwards can be told
# from one that a caller on the same machine makes up; only Linux has all of 127/8 to begin with.
GATEWAY_ADDRESS = "127.0.0.2" if sys.platform == "linux" else HOST
REDIS_TOKEN = "local-redis-token"  # noqa: S105 - guards nothing but this machine's loopback
# Fixed, so that a session survives a restart of the local cloud that kept its data.
SECRET_KEY = "local-development-key-that-protects-nothing"  # noqa: S105
KEYS_MASTER_KEY = "local-master-key-that-protects-nothing-too"
AI_KEYS = ("GROQ_API_KEY", "GOOGLE_API_KEY", "CEREBRAS_API_KEY", "OPENROUTER_API_KEY")


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: its ports, its folders, and what its functions are told beyond the usual.

    `root` holds functions/, console/ and firebase.json; `state` is the run's own folder and
    `data` the one that outlives it, if anything shall; `snapshot` is what Firestore begins with
    where `data` holds nothing yet; without `triggers` no function hears of a write, and without
    `schedules` a job runs only where it is forced.
    """

    ports: Ports
    state: Path
    root: Path = ROOT
    data: Path | None = None
    snapshot: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    reload: bool = False
    triggers: bool = True
    schedules: bool = True

    @property
    def origin(self) -> str:
        """The site as a browser reaches it, through the gateway."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def functions_url(self) -> str:
        """Where a function is reached directly, under its name."""
        return f"http://{HOST}:{self.ports.functions}"

    @property
    def shop_url(self) -> str:
        """The origin of the test shop that there is to crawl."""
        return f"http://{HOST}:{self.ports.shop}"

    @property
    def control_url(self) -> str:
        """Where the platform's control surface and the issuer's keys are."""
        return f"http://{HOST}:{self.ports.platform}"

    def environment(self) -> dict[str, str]:
        """The environment of the functions, and of anything that acts like one."""
        ports = self.ports
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "FIRESTORE_EMULATOR_HOST": f"{HOST}:{ports.firestore}",
            "FIREBASE_AUTH_EMULATOR_HOST": f"{HOST}:{ports.auth}",
            "STORAGE_EMULATOR_HOST": f"http://{HOST}:{ports.storage}",
            "CLOUD_TASKS_EMULATOR_HOST": f"{HOST}:{ports.tasks}",
            "CLOUD_SCHEDULER_EMULATOR_HOST": f"{HOST}:{ports.scheduler}",
            "UPSTASH_REDIS_REST_URL": f"http://{HOST}:{ports.upstash}",
            "UPSTASH_REDIS_REST_TOKEN": REDIS_TOKEN,
            "STORAGE_BUCKET": BUCKET,
            "SECRET_KEY": SECRET_KEY,
            "FRONTEND_ORIGIN": self.origin,
            "COOKIE_SECURE": "0",
            "TASKS_INVOKER": INVOKER,
            "CRAWLER_INVOKER": POD,
            "INTERNAL_AUDIENCE": AUDIENCE,
            "OIDC_ISSUER": self.control_url,
            "OIDC_CERTS_URL": f"{self.control_url}/certs",
            "IAM_VERIFIES_TOKENS": "1",
            "FUNCTIONS_URL": self.functions_url,
            # Through the gateway, so that a console served here needs no other address.
            "LIVE_URL": f"ws://{HOST}:{ports.gateway}",
            "TRUSTED_PROXIES": GATEWAY_ADDRESS,
            "SLACK_WEBHOOK_URL": f"{self.control_url}/sink/slack",
            # The sink takes the posts of webhooks as well.
            "FETCH_LOOPBACK": "1",
            "SMTP_URL": f"smtp://{HOST}:{ports.mail}",
            # A key of one's own reaches a provider by /keys/set, or by the shell of `make run`.
            **dict.fromkeys(AI_KEYS, "off"),
            "KEYS_MASTER_KEY": KEYS_MASTER_KEY,
            "GKE_ENDPOINT": f"http://{HOST}:{ports.kubernetes}",
            "GKE_TOKEN": KUBERNETES_TOKEN,
            "CRAWLER_NAMESPACE": CRAWLER_NAMESPACE,
            "CRAWLER_IMAGE": "local/crawler",
            "LOG_LEVEL": "INFO",
            **self.settings,
        }

    def save(self) -> Path:
        """Write the plan where a child process can load it."""
        path = self.state / "plan.json"
        path.write_text(json.dumps(asdict(self), default=str, indent=2))
        return path

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """The plan that was saved at `path`."""
        saved = json.loads(path.read_text())
        return cls(
            ports=Ports(**saved["ports"]),
            state=Path(saved["state"]),
            root=Path(saved["root"]),
            data=Path(saved["data"]) if saved["data"] else None,
            snapshot=Path(saved["snapshot"]) if saved["snapshot"] else None,
            settings=saved["settings"],
            reload=saved["reload"],
            schedules=saved["schedules"],
        )
