"""The settings of the product: the one module that reads the environment."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from shared.ai_models import AI_PROVIDERS, Model
from shared.errors import ConfigurationError
from shared.setting_texts import Reader, SameSite

GOOGLE_ISSUER = "https://accounts.google.com"
GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v3/certs"

CEREBRAS_URL: Final = "https://api.cerebras.ai/v1"
OPENROUTER_URL: Final = "https://openrouter.ai/api/v1"

# Functions that make one such call end after 60 s.
AI_TIMEOUT_MOST_SECONDS: Final = 50.0


class Settings(msgspec.Struct, frozen=True):
    """What the environment says, checked once; names follow the environment's."""

    project_id: str
    region: str
    secret_key: str
    frontend_origin: str
    session_samesite: SameSite
    cookie_secure: bool
    redis_url: str | None
    redis_token: str
    redis_timeout_seconds: float
    firestore_timeout_seconds: float
    storage_bucket: str
    tasks_invoker: str
    crawler_invoker: str
    internal_audience: str | None
    oidc_issuer: str
    oidc_certs_url: str
    iam_verifies_tokens: bool
    functions_url: str
    live_url: str | None
    trusted_proxies: tuple[str, ...]
    rate_limit_scale: float
    log_level: str
    log_file: str | None
    firestore_emulator: str | None
    tasks_emulator: str | None
    scheduler_emulator: str | None
    storage_emulator: str | None
    auth_emulator: str | None
    fetch_loopback: bool
    image_base_url: str | None
    slack_webhook_url: str | None
    opensearch_url: str | None
    smtp_url: str | None
    mail_api_url: str | None
    mail_api_key: str
    mail_from: str
    ai_provider: str | None
    ai_models: tuple[Model, ...]
    ai_timeout_seconds: float
    groq_api_key: str | None
    google_api_key: str | None
    cerebras_api_key: str | None
    openrouter_api_key: str | None
    groq_base_url: str | None
    google_base_url: str | None
    cerebras_base_url: str
    openrouter_base_url: str
    keys_master_key: tuple[str, ...]
    firebase_client_email: str | None
    firebase_private_key: str | None
    gke_endpoint: str | None
    gke_ca: str | None
    gke_token: str | None
    crawler_namespace: str
    crawler_image: str | None
    crawler_account: str
    crawler_gap_minutes: float
    crawler_lease_seconds: float
    crawler_start_seconds: float
    crawler_stop_seconds: float
    on_google_cloud: bool

    def __repr__(self) -> str:
        """Whose settings they are and no more, since many are secrets."""
        return f"Settings(project_id={self.project_id!r}, ***)"

    def function_url(self, function: str) -> str:
        """Where Google's services call `function`."""
        return f"{self.functions_url}/{function}"

    def audience(self, function: str) -> str:
        """What an internal call's token must name: IAM takes a function's own URL unasked."""
        return self.internal_audience or self.function_url(function)


def running_function() -> str | None:
    """The function that this instance serves, or None at discovery and in tools."""
    return os.environ.get("FUNCTION_TARGET")


def discovering() -> bool:
    """Whether the Firebase CLI is asking for the manifest (it names a port for the answer)."""
    return "ADMIN_PORT" in os.environ or os.environ.get("FUNCTIONS_CONTROL_API") == "true"


def region(environment: Mapping[str, str] = os.environ) -> str:
    """Where functions, queues and jobs are; firebase.json names it, so derive that anew."""
    return environment.get("REGION", "").strip() or "asia-south1"


@cache
def settings() -> Settings:
    """The settings of this process; raises ConfigurationError naming what is missing or wrong."""
    return read_settings(os.environ)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment`; raises ConfigurationError naming what is missing or wrong."""
    read = Reader(environment)
    # Google's runtimes set the first, the Firebase CLI the second for what it deploys.
    named = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "FIREBASE_PROJECT_ID")
    project_id = next(filter(None, map(read.text, named)), "")
    if not project_id:
        raise ConfigurationError(
            "FIREBASE_PROJECT_ID is missing: set it to the Firebase project's id."
        )
    on_google_cloud = "K_SERVICE" in environment
    redis_token = read.text("UPSTASH_REDIS_REST_TOKEN")
    return Settings(
        project_id=project_id,
        region=region(environment),
        secret_key=read.secret_key(),
        frontend_origin=read.origin("FRONTEND_ORIGIN", "http://localhost:3000"),
        session_samesite=read.samesite(),
        cookie_secure=read.flag("COOKIE_SECURE", default=True),
        redis_url=read.redis_url(redis_token, on_google_cloud=on_google_cloud),
        redis_token=redis_token,
        redis_timeout_seconds=read.number("REDIS_TIMEOUT_SECONDS", 0.2),
        firestore_timeout_seconds=read.number("FIRESTORE_TIMEOUT_SECONDS", 10.0),
        storage_bucket=read.text("STORAGE_BUCKET", f"{project_id}.appspot.com"),
        tasks_invoker=read.text(
            "TASKS_INVOKER", f"tasks-invoker@{project_id}.iam.gserviceaccount.com"
        ),
        crawler_invoker=read.text(
            "CRAWLER_INVOKER", f"crawler-pod@{project_id}.iam.gserviceaccount.com"
        ),
        internal_audience=read.text("INTERNAL_AUDIENCE") or None,
        oidc_issuer=read.text("OIDC_ISSUER", GOOGLE_ISSUER),
        oidc_certs_url=read.text("OIDC_CERTS_URL", GOOGLE_CERTS_URL),
        iam_verifies_tokens=read.flag("IAM_VERIFIES_TOKENS", default=False),
        functions_url=read.text(
            "FUNCTIONS_URL", f"https://{region(environment)}-{project_id}.cloudfunctions.net"
        ).rstrip("/"),
        live_url=read.socket_url("LIVE_URL"),
        trusted_proxies=read.networks("TRUSTED_PROXIES"),
        rate_limit_scale=read.number("RATE_LIMIT_SCALE", 1.0),
        log_level=read.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_file=read.text("LOG_FILE") or None,
        firestore_emulator=read.text("FIRESTORE_EMULATOR_HOST") or None,
        tasks_emulator=read.text("CLOUD_TASKS_EMULATOR_HOST") or None,
        scheduler_emulator=read.text("CLOUD_SCHEDULER_EMULATOR_HOST") or None,
        storage_emulator=read.text("STORAGE_EMULATOR_HOST") or None,
        auth_emulator=read.text("FIREBASE_AUTH_EMULATOR_HOST") or None,
        fetch_loopback=read.fetch_loopback(on_google_cloud=on_google_cloud),
        slack_webhook_url=read.webhook("SLACK_WEBHOOK_URL", on_google_cloud=on_google_cloud),
        image_base_url=read.base_url("IMAGE_BASE_URL", "https://images.example.com"),
        opensearch_url=read.base_url("OPENSEARCH_URL", "https://search.example.com:9200"),
        smtp_url=read.smtp_url(),
        mail_api_url=read.base_url("MAIL_API_URL", "https://api.example.com/emails"),
        mail_api_key=read.secret("MAIL_API_KEY") or "",
        mail_from=read.text("MAIL_FROM", f"Shopple Admin <no-reply@{project_id}.firebaseapp.com>"),
        ai_provider=read.one_of("AI_PROVIDER", AI_PROVIDERS),
        ai_models=read.models("AI_MODELS"),
        ai_timeout_seconds=read.number("AI_TIMEOUT_SECONDS", 20.0, AI_TIMEOUT_MOST_SECONDS),
        groq_api_key=read.secret("GROQ_API_KEY"),
        google_api_key=read.secret("GOOGLE_API_KEY"),
        cerebras_api_key=read.secret("CEREBRAS_API_KEY"),
        openrouter_api_key=read.secret("OPENROUTER_API_KEY"),
        groq_base_url=read.provider_url("GROQ_BASE_URL"),
        google_base_url=read.provider_url("GOOGLE_BASE_URL"),
        cerebras_base_url=read.provider_url("CEREBRAS_BASE_URL") or CEREBRAS_URL,
        openrouter_base_url=read.provider_url("OPENROUTER_BASE_URL") or OPENROUTER_URL,
        keys_master_key=read.master_keys("KEYS_MASTER_KEY"),
        firebase_client_email=None
        if on_google_cloud
        else read.text("FIREBASE_CLIENT_EMAIL") or None,
        firebase_private_key=None
        if on_google_cloud
        else read.text("FIREBASE_PRIVATE_KEY").replace("\\n", "\n") or None,
        gke_endpoint=read.cluster(on_google_cloud=on_google_cloud),
        gke_ca=read.secret("GKE_CA"),
        # On Google Cloud the platform's own credentials open the cluster.
        gke_token=None if on_google_cloud else read.secret("GKE_TOKEN"),
        crawler_namespace=read.text("CRAWLER_NAMESPACE", "crawler"),
        crawler_image=read.text("CRAWLER_IMAGE") or None,
        crawler_account=read.text("CRAWLER_ACCOUNT", "crawler-pod"),
        crawler_gap_minutes=read.number("CRAWLER_SCHEDULE_MIN_INTERVAL_MINUTES", 240.0),
        crawler_lease_seconds=read.number("CRAWLER_LEASE_SECONDS", 60.0),
        crawler_start_seconds=read.number("CRAWLER_START_SECONDS", 300.0),
        crawler_stop_seconds=read.number("CRAWLER_STOP_SECONDS", 60.0),
        on_google_cloud=on_google_cloud,
    )
