"""All settings. Everything that a site may change comes from the environment and is refused when it is odd."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from makegood.base.languages import LANGUAGES as THREE
from makegood.mail_settings import letters_out

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("MAKEGOOD_VAR", ROOT / "var"))


def flag(name: str, default: bool = False) -> bool:
    """A yes/no from the environment; anything but 1/0/true/false/yes/no is refused."""
    raw = os.environ.get(name)
    if raw is None or raw == "":
        return default
    if raw.lower() in {"1", "true", "yes"}:
        return True
    if raw.lower() in {"0", "false", "no"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {raw!r}")


def whole(name: str, default: int) -> int:
    raw = os.environ.get(name) or str(default)
    try:
        return int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}") from None


def endpoint(name: str) -> str:
    """A web address from the environment, without its last slash; '' when there is none."""
    raw = os.environ.get(name, "").strip()
    parts = urlsplit(raw)
    plain = raw.isascii() and raw.isprintable() and not set(raw) & set("@?# ")
    if raw and not (parts.scheme in {"http", "https"} and parts.hostname and plain):
        raise ImproperlyConfigured(
            f"{name} must look like https://host/v1, without a name, a key or a question in it"
        )
    return raw.rstrip("/")


def database(url: str) -> dict[str, Any]:
    """Django's words for ``postgresql://user:password@host:port/name?host=/socket/folder``. PostgreSQL and nothing else."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.pop("host", parts.hostname or "")),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            # Only what asks for it by a plain cursor is prepared (base/rows.py); Django's own statements are not.
            "prepare_threshold": 1,
            "pool": {"min_size": 1, "max_size": whole("MAKEGOOD_DB_POOL", 12), "timeout": 10},
            **query,
        },
        "TEST": {"NAME": os.environ.get("MAKEGOOD_TEST_DB", "test_makegood")},
    }


def secret() -> str:
    """The site's secret: from the environment, else a file in var/ that bin/up makes once (mode 600)."""
    if value := os.environ.get("SECRET_KEY"):
        return value
    file = VAR / "secret"
    if file.exists():
        return file.read_text().strip()
    return "only-for-tests-and-tools-bin-up-makes-a-real-one"


SECRET_KEY = secret()
# Secrets that were replaced, so that links and letters signed by them still lead to their cases.
SECRET_KEY_FALLBACKS = [key for key in os.environ.get("SECRET_KEY_FALLBACKS", "").split(",") if key]
DEBUG = flag("DEBUG")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o]
BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:8000")
HTTPS = BASE_URL.startswith("https:")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "ninja",
    "makegood",
]
MIDDLEWARE = [
    "makegood.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "makegood.web.middleware.SpeakingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "makegood.web.middleware.DeskErrorMiddleware",
]
ROOT_URLCONF = "makegood.urls"
WSGI_APPLICATION = "makegood.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "makegood" / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "makegood.web.context.everywhere",
            ],
            "builtins": ["django.templatetags.i18n", "makegood.web.templatetags.makegood"],
            "libraries": {
                "makegood": "makegood.web.templatetags.makegood",
                "sheet": "makegood.web.templatetags.sheet",
            },
        },
    }
]

DATABASES = {
    "default": database(os.environ.get("DATABASE_URL") or "postgresql://postgres@localhost/makegood")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "makegood.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "makegood.web.signin.Adapter"
# The page says the same for a known and an unknown address; a stranger who was typed there gets no letter from us.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Makegood"
LOGIN_URL = "/sign-in/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
LANGUAGES = THREE
LOCALE_PATHS = [ROOT / "makegood" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("TIME_ZONE", "Asia/Seoul")

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "makegood" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
if os.environ.get("PYTEST_VERSION"):
    # Argon2 is slow on purpose; a test that assembles the cast would spend most of its time on it.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if os.environ.get("PYTEST_VERSION") or DEBUG:
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = True

# Letters: without EMAIL_HOST (or a provider) they wait as rows that the agent can see; nothing pretends to be sent.
_letters = letters_out(os.environ)
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _letters.backend, _letters.host, _letters.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _letters.user, _letters.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _letters.tls, _letters.ssl, 20
DEFAULT_FROM_EMAIL, ANYMAIL = _letters.sender, _letters.anymail

# The optional helper: off until an endpoint, a model and a switch are set (docs/mechanisms/helper.md).
HELPER_URL = endpoint("MAKEGOOD_HELPER_URL")
HELPER_MODEL = os.environ.get("MAKEGOOD_HELPER_MODEL", "").strip()
HELPER_KEY = os.environ.get("MAKEGOOD_HELPER_KEY", "").strip()
HELPER_SUMMARY = flag("MAKEGOOD_HELPER_SUMMARY")
HELPER_DRAFT = flag("MAKEGOOD_HELPER_DRAFT")
if HELPER_URL and not HELPER_MODEL:
    raise ImproperlyConfigured("MAKEGOOD_HELPER_URL needs MAKEGOOD_HELPER_MODEL: which model is to be asked")
if not (HELPER_KEY.isascii() and HELPER_KEY.isprintable()) or " " in HELPER_KEY:
    raise ImproperlyConfigured("MAKEGOOD_HELPER_KEY must be plain letters, digits and signs, without blanks")
# Hosts inside the house that a shop's connector may reach all the same, by name and also without TLS (docs/mechanisms/connectors.md).
SHOPS_INSIDE = frozenset(h.strip() for h in os.environ.get("MAKEGOOD_SHOPS_INSIDE", "").split(",") if h.strip())
# Letters that a provider pushes (makegood/mail/hooks.py); without a secret the route is not there. All of anymail's
# settings come from the environment by their own names: ANYMAIL_WEBHOOK_SECRET, ANYMAIL_MAILGUN_WEBHOOK_SIGNING_KEY …

LETTER_WEBHOOK_SECRET = os.environ.get("LETTER_WEBHOOK_SECRET", "")

PROCRASTINATE_IMPORT_PATHS = ["makegood.jobs.tasks"]

# A report needs no account, so one address may send only so many; behind proxies, how many of them are ours.
REPORTS_PER_HOUR = whole("MAKEGOOD_REPORTS_PER_HOUR", 20)
PROXIES = whole("MAKEGOOD_PROXIES", 0)

ATTACHMENT_BYTES = 20 * 1024 * 1024
MESSAGE_CHARACTERS = 100_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# The form refuses more than ten with the words kept; only far beyond that the request itself is refused.
DATA_UPLOAD_MAX_NUMBER_FILES = 60
PACKS_DIR = os.environ.get("MAKEGOOD_PACKS", "")

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "makegood.web.customer_csrf.refused"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# auth.W004: the email is unique, whatever its case, by a constraint (people/models.py) that the check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W004", "security.W008", "security.W012", "security.W016"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"makegood": {"level": os.environ.get("LOG_LEVEL", "INFO")}},
}
