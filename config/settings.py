"""Settings of the project, read from the environment; with none set, everything runs embedded in one process."""

from __future__ import annotations

import sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from dramatiq.middleware import CurrentMessage, Retries, ShutdownNotifications

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
NOTSET = environ.Env.NOTSET

# --- Which installation this is -------------------------------------------------------------------------------------

#: The demo shop (`manage.py demo`): own database file, mail and text messages kept in files, short delays.
DEMO = sys.argv[1:2] == ["demo"]
DEMO_DIR = Path(env.str("DEMO_DIR", default=str(BASE_DIR / ".demo")))

#: Redis or Valkey (redis://, rediss://, unix://). Empty: wake-ups stay in this process and the clock finds the rest.
REDIS_URL = env.str("REDIS_URL", default="")
BROKER_URL = env.str("BROKER_URL", default=REDIS_URL)

#: No broker and no database named: one process on one machine, where an insecure secret key is acceptable.
EMBEDDED = not BROKER_URL and not env.str("DATABASE_URL", default="")

#: Run the worker threads inside the web process. Only for one process: a second one would not hear the first.
EMBEDDED_WORKER = env.bool("EMBEDDED_WORKER", default=not BROKER_URL)

# --- Security -------------------------------------------------------------------------------------------------------

INSECURE_KEY = "django-insecure-good-enough-for-the-demo-and-the-tests-only"
SECRET_KEY = env.str("SECRET_KEY", default=INSECURE_KEY if EMBEDDED or DEMO else NOTSET)
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

#: Served by HTTPS only.
SECURE = env.bool("SECURE", default=not EMBEDDED)
SECURE_SSL_REDIRECT = SECURE
#: Asked from inside, past the proxy that speaks HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^health/(live|ready)$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Applications ---------------------------------------------------------------------------------------------------

#: How the admin looks: unfold, or stock for Django's own.
ADMIN_THEME = env.str("ADMIN_THEME", default="unfold" if find_spec("unfold") and find_spec("django_ace") else "stock")
if ADMIN_THEME not in ("unfold", "stock"):
    raise ImproperlyConfigured(f"ADMIN_THEME is unfold or stock, not {ADMIN_THEME!r}")

INSTALLED_APPS = [
    # Before Django's admin, whose templates and site they replace.
    *(["unfold", "django_ace"] if ADMIN_THEME == "unfold" else []),
    "config.demo",
    "orders",
    "payments",
    "inventory",
    "notifications",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_dramatiq",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.content_policy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
#: In the demo, one chooses who to be.
LOGIN_URL = "demo:shop" if DEMO else "admin:login"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------------------------

DEFAULT_DATABASE = DEMO_DIR / "demo.sqlite3" if DEMO else BASE_DIR / "db.sqlite3"
DATABASE: dict[str, Any] = env.db_url("DATABASE_URL", default=f"sqlite:///{DEFAULT_DATABASE}")
DATABASE_OPTIONS: dict[str, Any] = DATABASE.setdefault("OPTIONS", {})
if DATABASE["ENGINE"].endswith("sqlite3"):
    # A deferred transaction that reads and then writes fails at once with "database is locked".
    DATABASE_OPTIONS["transaction_mode"] = "IMMEDIATE"
    DATABASE_OPTIONS["timeout"] = 20
    DATABASE_OPTIONS["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
else:
    # A pool serves worker threads and ASGI alike; persistent connections would be lost with ASGI's threads.
    pool_size = env.int("DATABASE_POOL_SIZE", default=20)
    DATABASE_OPTIONS["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    DATABASE["CONN_HEALTH_CHECKS"] = True
    # Whoever is suspended within a transaction would keep the rows locked, past every lease.
    if idle_limit := env.int("DATABASE_IDLE_TRANSACTION_SECONDS", default=30):
        DATABASE_OPTIONS.setdefault("options", f"-c idle_in_transaction_session_timeout={idle_limit}s")
DATABASES = {"default": DATABASE}

# --- Broker ---------------------------------------------------------------------------------------------------------

BROKERS = {
    "redis": "notifications.broker.BlockingRedisBroker",
    "rediss": "notifications.broker.BlockingRedisBroker",
    "unix": "notifications.broker.BlockingRedisBroker",
    "amqp": "notifications.broker.rabbitmq.RabbitBroker",
    "amqps": "notifications.broker.rabbitmq.RabbitBroker",
}
broker_scheme, _, broker_address = BROKER_URL.partition("://")
if BROKER_URL and not (broker_address and broker_scheme in BROKERS):
    schemes = ", ".join(f"{scheme}://" for scheme in BROKERS)
    raise ImproperlyConfigured(f"BROKER_URL (without one: REDIS_URL) has to begin with one of {schemes}")

#: Wake-ups only: the work itself is in the database (docs/concepts.md), so nothing here needs to retry or to be kept.
DRAMATIQ_BROKER: dict[str, Any] = {
    "BROKER": BROKERS[broker_scheme] if BROKER_URL else "notifications.broker.EmbeddedBroker",
    "OPTIONS": {"url": BROKER_URL} if BROKER_URL else {},
    "MIDDLEWARE": [
        # First, because after-hooks run in reverse: connections are closed last.
        "django_dramatiq.middleware.DbConnectionsMiddleware",
        ShutdownNotifications(),
        # Legacy events are told apart by their message's id.
        CurrentMessage(),
        # Without this middleware a bug in an actor would be acknowledged as done.
        Retries(max_retries=0),
    ],
}
DRAMATIQ_IGNORED_MODULES = ["django_dramatiq.tasks"]

# --- Channels and notifications -------------------------------------------------------------------------------------

DEFAULT_EMAIL_URL = f"filemail:///{DEMO_DIR}/mail" if DEMO else "consolemail://"
vars().update(env.email_url("EMAIL_URL", default=DEFAULT_EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Corner Shop <shop@localhost>")

#: What django-anymail is told of mail services, if one is used: tokens, and WEBHOOK_SECRET for what comes back.
ANYMAIL: dict[str, Any] = env.json("ANYMAIL", default={})

DEFAULT_SMS_BACKEND = "notifications.channels.fake.FakeChannel" if DEMO else "notifications.channels.sms.ConsoleSms"
NOTIFICATION_CHANNELS: dict[str, dict[str, Any]] = {
    "email": {
        "BACKEND": "notifications.channels.email.EmailChannel",
        "OPTIONS": {"from_email": DEFAULT_FROM_EMAIL},
    },
    "sms": {
        "BACKEND": env.str("SMS_BACKEND", default=DEFAULT_SMS_BACKEND),
        "OPTIONS": env.json("SMS_OPTIONS", default={"path": str(DEMO_DIR / "sms.jsonl")} if DEMO else {}),
    },
}
#: Push to browsers: `manage.py make_vapid_keys` makes the key. Needs the extra `push`.
if VAPID_PRIVATE_KEY := env.str("VAPID_PRIVATE_KEY", default=""):
    NOTIFICATION_CHANNELS["web_push"] = {
        "BACKEND": "notifications.channels.web_push.WebPushChannel",
        "OPTIONS": {"private_key": VAPID_PRIVATE_KEY, "subject": env.str("VAPID_SUBJECT")},
    }
#: Webhooks that people register: whsec_… and base64, the newest first. What each receiver signs with is derived from it.
if WEBHOOK_SECRETS := env.list("WEBHOOK_SECRETS", default=[]):
    NOTIFICATION_CHANNELS["webhook"] = {
        "BACKEND": "notifications.channels.webhook.WebhookChannel",
        "OPTIONS": {"secrets": WEBHOOK_SECRETS},
    }
#: Rooms of Slack, Teams and Discord that people register.
if env.bool("CHAT", default=False):
    NOTIFICATION_CHANNELS["chat"] = {"BACKEND": "notifications.channels.chat.ChatChannel"}
NOTIFICATIONS: dict[str, Any] = {
    "BASE_URL": env.str("BASE_URL", default="http://127.0.0.1:8000"),
    "SITE_NAME": env.str("SITE_NAME", default="Corner Shop"),
    "METRICS_TOKEN": env.str("METRICS_TOKEN", default=""),
    "CALLBACK_SECRETS": env.json("CALLBACK_SECRETS", default={}),
    "REALTIME_URL": REDIS_URL,
}

#: How long after the registration the welcome is sent.
ORDERS_WELCOME_DELAY = timedelta(seconds=env.int("WELCOME_DELAY_SECONDS", default=10 if DEMO else 3600))

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["notifications.api.parsers.PlainJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["notifications.api.throttles.UserThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "notifications.api.problems.handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Notifications",
    "DESCRIPTION": "The notification center: a user's inbox and wishes, and publishing for other services.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "notifications.api.schema.with_problems",
    ],
    # Scripts and styles come with the package, not from somewhere else.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Admin ----------------------------------------------------------------------------------------------------------

#: Blue, 50 to 950: 600 is read on white and carries white words, 500 is read on black.
ADMIN_BLUES = [
    "97% .014 254.604", "93.2% .032 255.585", "88.2% .059 254.128", "80.9% .105 251.813", "75% .14 253",
    "70.7% .165 254.624", "54.6% .245 262.881", "48.8% .243 264.376", "42.4% .199 265.638", "37.9% .146 265.522",
    "28.2% .091 267.935",
]  # fmt: skip
#: What django-unfold reads. The sidebar's lines are in notifications/admin/sidebar.py.
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": NOTIFICATIONS["SITE_NAME"],
    "SITE_HEADER": NOTIFICATIONS["SITE_NAME"],
    "SITE_SYMBOL": "notifications",
    "COLORS": {
        "primary": {
            str(weight): f"oklch({blue})"
            for weight, blue in zip([50, *range(100, 1000, 100), 950], ADMIN_BLUES, strict=True)
        }
    },
    "SITE_URL": "/" if DEMO else None,
    "SHOW_BACK_BUTTON": True,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "notifications.admin_theme.icon"}],
    "STYLES": ["notifications.admin_theme.style_sheet"],
    "SIDEBAR": {"navigation": "notifications.admin.sidebar.navigation", "show_all_applications": True},
}

# --- Languages, time, files, logs -----------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING" if DEMO else "INFO")},
}
