"""Every setting of the server, read from the environment; `.env.example` describes the variables.

A value that cannot be used raises `ImproperlyConfigured` with one sentence, before anything has started.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from automations_site import PRODUCT_NAME, VERSION, catalogues, logs
from automations_site.environment import Environment, private_file, private_folder

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()

# --- where and how this server runs -------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, least=1, most=65535)
# 0 runs none of them on this host: web servers and queue workers may live apart.
WEB_WORKERS = env.number("WEB_WORKERS", 2, least=0, most=64)
QUEUE_WORKERS = env.number("QUEUE_WORKERS", 2, least=0, most=64)
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", of=("DEBUG", "INFO", "WARNING", "ERROR"))
DATA_DIR = private_folder(
    Path(env.text("DATA_DIR", str(BASE_DIR / ".data"))).expanduser().absolute(), named_by="DATA_DIR"
)

PUBLIC_URL = env.url("PUBLIC_URL", f"http://localhost:{PORT}", schemes=("http", "https"))
_public = urlsplit(PUBLIC_URL)
if _public.path or _public.query or _public.fragment:
    raise ImproperlyConfigured(
        "PUBLIC_URL holds more than scheme, host and port. The server answers at the root of its host."
    )

# Proxies in front of this server, each of which adds the address it was called from to X-Forwarded-For.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, least=0, most=10)

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
if _public.hostname and _public.hostname not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(_public.hostname)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# --- limits and times of the product ------------------------------------------------------------------------

# Largest request body in bytes, after which the API answers 413. Django's own limit for form posts follows
# it, so that a batch of metrics is refused by one rule with one sentence.
MAX_BODY_BYTES = env.number("MAX_BODY_BYTES", 20_000_000, least=100_000, most=1_000_000_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# Largest file in bytes that scripts may upload. Files are streamed to disk, never held in memory.
MAX_FILE_BYTES = env.number("MAX_FILE_BYTES", 5_000_000_000, least=1_000_000, most=999_999_999_999)

# Seconds without a heartbeat after which a running run counts as crashed.
CRASHED_AFTER = env.number("CRASHED_AFTER", 300, least=10, most=86_400)

# Days that history is kept; 0 keeps it for ever.
HISTORY_RETENTION_DAYS = env.number("HISTORY_RETENTION_DAYS", 90, least=0, most=36_500)

# How often one automation of an organization, a team or a registry may fire.
RATE_LIMIT_PER_MINUTE = env.number("RATE_LIMIT_PER_MINUTE", 60, least=1, most=1_000_000)
RATE_LIMIT_PER_HOUR = env.number("RATE_LIMIT_PER_HOUR", 1_000, least=1, most=1_000_000)
# Above how many expected firings a day the form of such an automation asks to confirm it.
CONFIRM_FIRINGS_PER_DAY = env.number("CONFIRM_FIRINGS_PER_DAY", 100, least=0, most=1_000_000)

# Days for which the audit log keeps who changed what.
AUDIT_RETENTION_DAYS = env.number("AUDIT_RETENTION_DAYS", 365, least=1, most=36_500)

# Address ranges and hosts that webhooks may reach although the guard would refuse them. A system check reads
# them.
WEBHOOK_ALLOWED_NETWORKS = env.words("WEBHOOK_ALLOWED_NETWORKS")
# Seconds. The total stays below the time after which the queue gives a task up.
WEBHOOK_CONNECT_TIMEOUT = env.number("WEBHOOK_CONNECT_TIMEOUT", 5, least=1, most=30)
WEBHOOK_TOTAL_TIMEOUT = env.number("WEBHOOK_TOTAL_TIMEOUT", 15, least=1, most=30)
USER_AGENT = f"automations-server/{VERSION}"
# Slack's Web API, or what stands in for it. Its address is judged like a webhook's.
SLACK_API_URL = env.url("SLACK_API_URL", "https://slack.com/api", schemes=("http", "https"))
# The operator's Slack app. With it, teams connect Slack by a button; where its page is that asks them, tests say.
SLACK_CLIENT_ID = env.text("SLACK_CLIENT_ID")
SLACK_CLIENT_SECRET = env.text("SLACK_CLIENT_SECRET")
SLACK_AUTHORIZE_URL = env.url("SLACK_AUTHORIZE_URL", "https://slack.com/oauth/v2/authorize", schemes=("http", "https"))
if bool(SLACK_CLIENT_ID) != bool(SLACK_CLIENT_SECRET):
    _given, _missing = sorted(("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"), key=lambda name: not env.text(name))
    raise ImproperlyConfigured(f"{_given} is set and {_missing} is not. Set both, or none, as the Slack app has them.")

# Who sends it as bearer token may read /metrics; without it there is no such page.
METRICS_TOKEN = env.text("METRICS_TOKEN")

# --- e-mail -------------------------------------------------------------------------------------------------

# Without a mail server, notices are only on their page.
_email = env.email("EMAIL_URL")
EMAIL_CONFIGURED = bool(_email)
globals().update(_email)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"automations@{_public.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- database, keys, cache, queue ---------------------------------------------------------------------------


def _tuned(database: dict[str, Any]) -> dict[str, Any]:
    """The database with the options it needs: connections stay open, SQLite writers queue up."""
    database |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["CONN_MAX_AGE"] = None
        database["OPTIONS"] = {
            # Take the write lock at BEGIN: a transaction that reads first and writes later cannot wait for
            # it.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    return database


_database = env.database("DATABASE_URL")
DATABASES = {
    "default": _tuned(
        _database or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(private_file(DATA_DIR / "db.sqlite3"))}
    ),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# On the embedded database the keys may live beside it; everywhere else the operator hands them out.
_key_folder = DATA_DIR if _database is None else None
SECRET_KEY, *SECRET_KEY_FALLBACKS = env.keys("SECRET_KEY", generated_in=_key_folder)
# Newest first. `fernet_fields` derives the sealing keys from these texts, so any long random text will do.
FERNET_KEYS = env.keys("FERNET_KEYS", generated_in=_key_folder)

REDIS_URL = env.url("REDIS_URL", "", schemes=("redis", "rediss"))
# `default` is this process's own memory, for what may be stale or lost. `shared` is seen by all processes:
# the queue's workers report there that they are alive.
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "shared": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache"}
    ),
}

Q_CLUSTER: dict[str, Any] = {
    "name": "automations",
    "label": "Queue",
    "cache": "shared",
    # One more for what the clock brings: the others are taken by deliveries, which run all the time.
    "workers": max(QUEUE_WORKERS, 1) + 1,
    # Our own history records what happened, and our own ladder decides when to try again: the queue keeps no
    # successes, never repeats a failure, and hands a task out again only when its worker died (after `retry`
    # s).
    "save_limit": -1,
    "max_attempts": 1,
    "ack_failures": True,
    "timeout": 60,
    "retry": 90,
    "bulk": 20,
    "catch_up": False,
    "guard_cycle": 1,
    # Take several tasks ahead, but not so many that a worker sits on tasks while another is idle.
    "queue_limit": max(QUEUE_WORKERS, 1) * 10,
}
Q_CLUSTER |= (
    {"redis": REDIS_URL, "broker_class": "automations.queueing.RedisBroker"}
    if REDIS_URL
    else {"orm": "default", "broker_class": "automations.queueing.DatabaseBroker"}
)

# --- applications and the way of a request ------------------------------------------------------------------

INSTALLED_APPS = [
    "automations_site",
    "automations",
    "registries",
    "secrets_vault",
    "projects",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # Chart.js and its files only; pages draw with it directly
    "chartkick.django",
    "django_htmx",
    "django_q",
    "axes",
    "csp",
]
AUTH_USER_MODEL = "projects.User"

MIDDLEWARE = [
    "automations_site.logs.name_requests",
    "automations_site.refusals.refuse_nul",
    "automations_site.refusals.refuse_odd_current_url",
    # what a request with X-Automation-Cause changes belongs to the chain of executions that led to it
    "automations.causes.join",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # inside the one that serves static files, which are to be cached
    "automations_site.caching.keep_private",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "automations_site.languages.choose",
    "automations_site.sessions.say_signed_out",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    # last, because it replaces the answer of a sign-in that was refused
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "automations_site.urls"
WSGI_APPLICATION = "automations_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "projects.context.frame",
                "automations.context.bell",
            ],
        },
    },
]

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
FILES_DIR = private_folder(DATA_DIR / "files", named_by="DATA_DIR")
# Beside the files themselves, so that an upload that is complete is moved, not copied.
FILE_UPLOAD_TEMP_DIR = str(private_folder(FILES_DIR / "incoming", named_by="DATA_DIR"))
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
STORAGES = {
    # What scripts upload. Another backend, such as a bucket, is all it takes to keep it elsewhere.
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(FILES_DIR)}},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        ),
    },
}

# For people whose browser wants none of these, for what is written to nobody in particular, and what teams begin with.
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", of=("en", "ja"))
# Each in its own words: who looks for theirs may not read the others.
LANGUAGES = [("en", "English"), ("ja", "日本語")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [catalogues.compiled(into=DATA_DIR / "messages")]
FORMAT_MODULE_PATH = "automations_site.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- signing in ---------------------------------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
# A user name is locked for one address only, so that nobody can lock somebody else out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_CLIENT_IP_CALLABLE = "automations_site.clients.address_of"
AXES_ALLOWED_CORS_ORIGINS = PUBLIC_URL
AXES_VERBOSE = False

# --- what browsers are told ---------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

_behind_tls = _public.scheme == "https"
SESSION_COOKIE_SECURE = _behind_tls
CSRF_COOKIE_SECURE = _behind_tls
LANGUAGE_COOKIE_SECURE = _behind_tls
if _behind_tls:
    # TLS ends at the proxy in front, which must set this header itself on every request.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # other hosts under the operator's domain are not ours to force onto HTTPS
    "security.W008",  # the proxy that ends TLS redirects to it; here it would turn health checks away
    "security.W021",  # being listed in browsers is the operator's decision
]

# --- REST API -----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "projects.api.pagination.Newest",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "projects.api.problems.handle",
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": f"{PRODUCT_NAME} API",
    "DESCRIPTION": "Log runs, metrics and artifacts; manage automations; read their history.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Both are called `state` where they are shown.
    "ENUM_NAME_OVERRIDES": {
        "RunStateEnum": "projects.models.RunState",
        "HealthEnum": "automations.models.health.Health",
    },
}

LOGGING = logs.configure(level=LOG_LEVEL, readable=DEBUG)
