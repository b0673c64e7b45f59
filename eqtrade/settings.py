"""Settings from the environment. What is dangerous when missing is refused by system checks."""

import os

import django_stubs_ext

from eqtrade.content_security import DIRECTIVES
from eqtrade.deployment import deployment
from eqtrade.door_settings import *  # noqa: F403
from eqtrade.door_settings import LOGIN_DOORS
from eqtrade.environment import BASE_DIR, DATA_DIR, STACK_FOUND, env
from eqtrade.live_settings import *  # noqa: F403
from eqtrade.log import settings_of as log_settings
from eqtrade.log import use_structlog
from eqtrade.redis_urls import broker_tls, broker_url
from eqtrade.secret_files import refuse_weak_key, secret, with_password
from kernel.money import use_context

use_context()
django_stubs_ext.monkeypatch()

DEBUG = env.bool("DEBUG", default=False)
TESTING = env.bool("EQTRADE_TESTING", default=False)
LOCAL_STACK = env.bool("EQTRADE_LOCAL_STACK", default=False)
SECRET_KEY = secret("SECRET_KEY")
if not SECRET_KEY and not STACK_FOUND:
    # No server can be reached without a stack; commands that need none still want a key.
    SECRET_KEY = "not-secret-nothing-is-served-with-this-key"  # noqa: S105
elif SECRET_KEY and not (LOCAL_STACK or TESTING):
    # Here, so that no process starts with it: not each of them runs the system checks.
    refuse_weak_key(SECRET_KEY)
DEPLOYMENT = deployment(os.environ)
ALLOWED_HOSTS = DEPLOYMENT.hosts
CSRF_TRUSTED_ORIGINS = DEPLOYMENT.origins

INSTALLED_APPS = [
    "kernel.administration.Administration",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_standardized_errors",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "axes",
    "pgtrigger",
    "django_vite",
    "channels",
    "csp",
    "kernel",
    "audit",
    "accounts",
    "prices",
    "trades",
    "positions",
    "pnl",
    "blotter",
    # After ours, whose templates beat theirs.
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "eqtrade",
]

MIDDLEWARE = [
    "kernel.middleware.Follows",
    "django.middleware.security.SecurityMiddleware",
    "eqtrade.content_security.PagePolicy",
    "kernel.api.lengths.BodyLengthMiddleware",
    "audit.middleware.Audited",
    "kernel.api.outage.DatabaseOutageMiddleware",
    "kernel.api.writing.WritesAwaitStandby",
    "prices.middleware.PriceSourceSaid",
    "prices.middleware.SessionsReadOnce",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "kernel.api.outage.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kernel.middleware.ByTable",
    "accounts.middleware.SecondFactorFirst",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "eqtrade.urls"
WSGI_APPLICATION = "eqtrade.wsgi.application"
ASGI_APPLICATION = "eqtrade.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the apps' own, where the admin's templates are.
        "DIRS": [BASE_DIR / "eqtrade" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "prices.source_said.prices_are_simulated",
            ]
        },
    }
]

# --- database -----------------------------------------------------------------------------------

_database_url = with_password(
    env.str("DATABASE_URL", default="postgres:///eqtrade"), "DATABASE_PASSWORD"
)
DATABASES = {"default": env.db_url_config(_database_url)}
# Looks at a connection instead of asking it whether it is alive (kernel/postgres/base.py).
DATABASES["default"]["ENGINE"] = "kernel.postgres"
DATABASES["default"]["ATOMIC_REQUESTS"] = False
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"]["connect_timeout"] = 5
# The database is a primary and a synchronous standby (docs/runbooks/failover.md). So many requests
# of a process may wait for a commit at a time; the others are for reading.
DATABASE_SYNCHRONOUS = env.bool("DATABASE_SYNCHRONOUS", default=False)
WRITES_AT_ONCE = env.int("WRITES_AT_ONCE", default=6)
if env.bool("DB_POOL", default=False):
    # Only api and ws: Celery's prefork closes a pool around each task (9.6 ms against 3.6 ms).
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "max_size": env.int("DB_POOL_MAX", default=16),
        "timeout": 5,
    }
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    # What api and ws prepare has one plan for all values (kernel.prepared).
    DATABASES["default"]["OPTIONS"]["options"] = "-c plan_cache_mode=force_generic_plan"
else:
    DATABASES["default"]["CONN_MAX_AGE"] = None
    # Looked at before each task; the pool looks at what it hands out.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A standby for reading of the past, left out when it is so far behind (kernel.postgres.standby).
_read_url = with_password(env.str("DATABASE_READ_URL", default=""), "DATABASE_PASSWORD")
DATABASE_READ = env.db_url_config(_read_url) if _read_url else {}
READ_LAG_SECONDS = env.float("READ_LAG_SECONDS", default=30.0)
if DATABASE_READ:
    DATABASE_READ["ENGINE"] = "kernel.postgres"
    DATABASE_READ.setdefault("OPTIONS", {})["connect_timeout"] = 2
    # One a thread; none of them is kept waiting for.
    DATABASE_READ["CONN_MAX_AGE"], DATABASE_READ["CONN_HEALTH_CHECKS"] = None, True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis protocol: broker, channel layer, nudges ----------------------------------------------

REDIS_URL = with_password(
    env.str("REDIS_URL", default="redis://127.0.0.1:6379/0"), "REDIS_PASSWORD"
)

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or broker_url(REDIS_URL)
CELERY_BROKER_USE_SSL = broker_tls(CELERY_BROKER_URL)
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# How long a killed process's result is waited for before its message goes back to the queue. There
# are no results here, and until then the message keeps a place that another could have.
CELERY_WORKER_LOST_WAIT = 1.0
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_ROUTES = {
    "positions.*": {"queue": "positions"},
    "pnl.*": {"queue": "pnl"},
    "blotter.*": {"queue": "pnl"},
    "prices.*": {"queue": "prices"},
    "trades.tasks.import_*": {"queue": "imports"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Celery closes the connection after each task unless it is told how often to use it again; whether
# it is still usable is asked before each task (eqtrade.celery).
CELERY_DB_REUSE_MAX = 10**9
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_BEAT_SCHEDULER = "eqtrade.beat:Scheduler"
DJANGO_CELERY_BEAT_TZ_AWARE = True

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "eqtrade"},
    }
}

# What a worker does when it starts: go on where the readers stopped, or compute all anew first.
RECOVERY_MODE = env.str("RECOVERY_MODE", default="recover")

# --- prices -------------------------------------------------------------------------------------

PRICE_SOURCE = env.str("PRICE_SOURCE", default="simulated")
# A corporate action is confirmed by another person than the one who proposed it.
ACTIONS_FOUR_EYES = env.bool("ACTIONS_FOUR_EYES", default=False)
PRICE_SEED = env.int("PRICE_SEED", default=1)
PRICE_FILE = env.str("PRICE_FILE", default="")
# Prices also come by a stream (`manage.py prices stream`), from sources that have one.
PRICE_STREAM = env.bool("PRICE_STREAM", default=False)
YAHOO_STREAM_URL = env.str(
    "YAHOO_STREAM_URL", default="wss://streamer.finance.yahoo.com/?version=2"
)
YAHOO_REQUESTS_PER_SECOND = env.float("YAHOO_REQUESTS_PER_SECOND", default=5.0)
YAHOO_TIMEOUT_SECONDS = env.float("YAHOO_TIMEOUT_SECONDS", default=10.0)
# A source that fails is left alone for the first time, then twice as long each time, up to the
# second: then it is asked once in so many seconds, however long the trouble lasts.
PRICE_BACKOFF_SECONDS = env.float("PRICE_BACKOFF_SECONDS", default=45.0)
PRICE_BACKOFF_MAX_SECONDS = env.float("PRICE_BACKOFF_MAX_SECONDS", default=900.0)
# Below this share of fresh marks while the exchange is open, operations are told.
PRICE_COVERAGE_MIN = env.float("PRICE_COVERAGE_MIN", default=0.95)
PRICE_STALE_AFTER_SECONDS = env.int("PRICE_STALE_AFTER_SECONDS", default=180)
SETTLING_AFTER_SECONDS = 5

# --- who is asking ------------------------------------------------------------------------------

# Who may call what; and who may read the API's own documentation: `public`, or `login`.
AUTHORIZATION = "eqtrade.authorization.TABLE"
API_DOCS = env.str("API_DOCS", default="public")
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "accounts.browser_sessions"
# A session ends so long after its login, and so long after its last use.
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=7 * 24 * 3600)
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=12 * 3600)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = DEPLOYMENT.secure_cookies
# nginx overwrites this header in every request, and api and ws are reached through nginx only.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = DEPLOYMENT.redirects_to_https
# Asked inside the machine, where there is no TLS.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^internal/"]
SECURE_HSTS_SECONDS = DEPLOYMENT.hsts_seconds
# Whether every host below this one is bound, and browsers' built-in lists know it, is for the owner
# of the domain to say, and not easily taken back.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Two stacks on one machine share a host name, and cookies know no ports.
SESSION_COOKIE_NAME = env.str("SESSION_COOKIE_NAME", default="sessionid")
CSRF_COOKIE_NAME = env.str("CSRF_COOKIE_NAME", default="csrftoken")
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": DIRECTIVES}

# The record of what was done: how long it is kept, and how long addresses in it are whole.
AUDIT_KEEP_DAYS = env.int("AUDIT_KEEP_DAYS", default=7 * 366)
AUDIT_ADDRESS_DAYS = env.int("AUDIT_ADDRESS_DAYS", default=400)

# --- API ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["kernel.api.permissions.ByTable"],
    "DEFAULT_RENDERER_CLASSES": ["kernel.api.renderers.OrjsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "kernel.api.negotiation.QuickNegotiation",
    "DEFAULT_PARSER_CLASSES": ["kernel.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "kernel.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "kernel.api.errors.ExceptionHandler",
    "EXCEPTION_FORMATTER_CLASS": "kernel.api.errors.ExceptionFormatter",
    "ERROR_SCHEMAS": {
        "400": "kernel.api.schema.BadRequestOut",
        "403": "kernel.api.schema.ClientErrorOut",
        "409": "kernel.api.schema.ConflictOut",
        "413": "kernel.api.schema.ClientErrorOut",
        "429": "kernel.api.schema.ClientErrorOut",
        "503": "kernel.api.schema.ServerErrorOut",
    },
    "ALLOWED_ERROR_STATUS_CODES": [
        "400",
        "401",
        "403",
        "404",
        "405",
        "406",
        "409",
        "413",
        "415",
        "429",
        "503",
    ],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "eqtrade",
    "DESCRIPTION": "Trade capture, positions and live P&L. Decimals are strings.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["kernel.api.permissions.ByTable"],
    # What the schema is like is for tests to say; `check --deploy` is about dangers.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SideEnum": "trades.models.Side",
        "FeeSideEnum": "trades.fee_rates.SIDES",
        "TradeStatusEnum": "trades.models.Status",
        "ActionKindEnum": "prices.models.ActionKind.values",
        "GuardCodeEnum": "trades.guard_rules.CODES",
        "LimitKindEnum": "trades.limit_rules.KINDS",
        "AlertKindEnum": "blotter.alert_rules.NAMES",
        "AlertStateEnum": "blotter.alert_rules.STATES",
        "FeeKindEnum": "trades.fee_kinds.FEE_KINDS",
        # Of the errors that a library describes: without a name it gets one from a hash.
        "ClientErrorTypeEnum": "drf_standardized_errors.openapi_serializers.ClientErrorEnum",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# A CSV file to import; nginx's limit for that address is a little above it.
IMPORT_KEEP_DAYS = env.int("IMPORT_KEEP_DAYS", default=90)
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=80 * 1000 * 1000)
# Of one user: files that wait or are being booked, and bytes of all files in 24 hours.
IMPORT_OPEN_MAX = env.int("IMPORT_OPEN_MAX", default=20)
IMPORT_BYTES_PER_DAY = env.int("IMPORT_BYTES_PER_DAY", default=2 * 1000 * 1000 * 1000)

# Files that one user takes away in 24 hours.
EXPORTS_PER_DAY = env.int("EXPORTS_PER_DAY", default=200)

# Calls of one user a minute; 0 is no limit, and without Redis there is none.
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", default=0)
if API_CALLS_PER_MINUTE:
    REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"] = ["kernel.api.rates.CallRate"]
# The longest body of each path, refused unread beyond it; "" is for all others.
BODY_LIMITS = {
    "": 1024 * 1024,
    "/api/v1/trades/bulk/": DATA_UPLOAD_MAX_MEMORY_SIZE,
    # Multipart adds a little around the file.
    "/api/v1/trades/imports/": IMPORT_MAX_BYTES + 64 * 1024,
    "/api/v1/trades/imports/preview/": IMPORT_MAX_BYTES + 64 * 1024,
    **dict.fromkeys(LOGIN_DOORS, 16 * 1024),
}

# --- files and language -------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(DATA_DIR / "static"))
_FRONT_END = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [("app", _FRONT_END)] if _FRONT_END.is_dir() else []
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "manifest_path": _FRONT_END / ".vite" / "manifest.json",
        "static_url_prefix": "app",
    }
}

use_structlog()
LOGGING = log_settings(
    as_json=env.str("LOG_FORMAT", default="lines") == "json",
    level=env.str("LOG_LEVEL", default="INFO"),
)
# Where traces go, over HTTP; how many, OTEL_TRACES_SAMPLER says. Nowhere: none are made.
TRACES_TO = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
# Whom to call while a job that must not be missed is done in time (eqtrade/heartbeats.py).
HEARTBEATS = {
    job: env.str(f"HEARTBEAT_{job.upper()}_URL", default="")
    for job in ("closes", "snapshot", "verify")
}
# A request that took longer has a line of its own.
SLOW_REQUEST_SECONDS = env.float("SLOW_REQUEST_SECONDS", default=2.0)
