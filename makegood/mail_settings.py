"""How letters leave, from the environment: a mail server (SMTP), or a provider by django-anymail. Odd values are refused.

One relay sends for all mailboxes: which address a letter comes from is the mailbox's, and the relay (or provider) must be
allowed to send for its domain (SPF, DKIM). A relay for each mailbox is not needed for that, and is not offered.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.validators import validate_email

SMTP = "django.core.mail.backends.smtp.EmailBackend"
#: Providers of django-anymail by the name of their module there.
PROVIDERS = (
    "amazon_ses",
    "brevo",
    "mailersend",
    "mailgun",
    "mailjet",
    "mailtrap",
    "mandrill",
    "postal",
    "postmark",
    "resend",
    "scaleway",
    "sendgrid",
    "sparkpost",
    "unisender_go",
)


@dataclass(frozen=True)
class LettersOut:
    """The values of Django's EMAIL_* and anymail's settings."""

    backend: str
    host: str
    port: int
    user: str
    password: str
    tls: bool
    ssl: bool
    sender: str
    anymail: dict[str, Any] = field(default_factory=dict)


def letters_out(environ: Mapping[str, str]) -> LettersOut:
    """Read EMAIL_* , ANYMAIL_* and DEFAULT_FROM_EMAIL; raises ImproperlyConfigured and names the variable that is odd."""
    backend = _backend(environ.get("EMAIL_BACKEND", ""))
    provider = backend != SMTP
    anymail = {k.removeprefix("ANYMAIL_"): v for k, v in environ.items() if k.startswith("ANYMAIL_") and v}
    # What a provider pushes to us may come although letters leave by SMTP (mail/hooks.py).
    if not all("WEBHOOK" in name for name in anymail) and not provider:
        raise ImproperlyConfigured(
            f"ANYMAIL_{min(n for n in anymail if 'WEBHOOK' not in n)} is set, but EMAIL_BACKEND names no provider; one of: {', '.join(PROVIDERS)}"
        )
    host = environ.get("EMAIL_HOST", "").strip()
    if provider and host:
        raise ImproperlyConfigured("Set either EMAIL_HOST or a provider in EMAIL_BACKEND, not both")
    if host and (" " in host or "/" in host or "@" in host):
        raise ImproperlyConfigured(f"EMAIL_HOST must be the name of a mail server, not {host!r}")
    tls, ssl = _yes(environ, "EMAIL_USE_TLS"), _yes(environ, "EMAIL_USE_SSL")
    if tls and ssl:
        raise ImproperlyConfigured(
            "EMAIL_USE_TLS (STARTTLS, port 587) and EMAIL_USE_SSL (TLS from the start, port 465) exclude each other"
        )
    user, password = environ.get("EMAIL_HOST_USER", ""), environ.get("EMAIL_HOST_PASSWORD", "")
    if bool(user) != bool(password):
        raise ImproperlyConfigured(
            "EMAIL_HOST_USER and EMAIL_HOST_PASSWORD belong together: set both or none"
        )
    sender = environ.get("DEFAULT_FROM_EMAIL", "").strip() or "support@makegood.example"
    return LettersOut(backend, host, _port(environ, ssl), user, password, tls, ssl, _address(sender), anymail)


def _backend(raw: str) -> str:
    name = raw.strip()
    if name in ("", "smtp", SMTP):
        return SMTP
    short = name.removeprefix("anymail.backends.").removesuffix(".EmailBackend").lower()
    if short not in PROVIDERS:
        raise ImproperlyConfigured(
            f"EMAIL_BACKEND must be smtp or a provider ({', '.join(PROVIDERS)}), not {raw!r}"
        )
    if importlib.util.find_spec("anymail") is None:
        raise ImproperlyConfigured(
            f"EMAIL_BACKEND={raw} needs django-anymail: install makegood with its extra 'providers'"
        )
    return f"anymail.backends.{short}.EmailBackend"


def _yes(environ: Mapping[str, str], name: str) -> bool:
    raw = environ.get(name, "").lower()
    if raw not in {"", "1", "true", "yes", "0", "false", "no"}:
        raise ImproperlyConfigured(f"{name} must be yes or no, not {environ[name]!r}")
    return raw in {"1", "true", "yes"}


def _port(environ: Mapping[str, str], ssl: bool) -> int:
    raw = environ.get("EMAIL_PORT", "") or ("465" if ssl else "25")
    if not (raw.isascii() and raw.isdigit() and 0 < int(raw) < 65536):
        raise ImproperlyConfigured(f"EMAIL_PORT must be a port (1 to 65535), not {raw!r}")
    return int(raw)


def _address(raw: str) -> str:
    try:
        validate_email(parseaddr(raw)[1])
    except Exception:
        raise ImproperlyConfigured(
            f"DEFAULT_FROM_EMAIL must be an email address, also as 'Name <address>', not {raw!r}"
        ) from None
    return raw
