"""Secrets of others that we must be able to read again (a mailbox's password): sealed by the site's own secret.

Fernet (AES-CBC with an HMAC) by a key derived from SECRET_KEY: who reads the database alone reads none of them. When
SECRET_KEY changes, list the old one in SECRET_KEY_FALLBACKS, else what was sealed by it must be typed in again.
"""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Broken(ValueError):
    """What was sealed cannot be opened: another SECRET_KEY sealed it, or somebody changed it."""


def seal(secret: dict[str, str]) -> bytes:
    """The secret's parts by name, sealed; each seal is different."""
    return _fernet().encrypt(json.dumps(secret).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """What :func:`seal` was given; {} for nothing. Raises Broken."""
    if not sealed:
        return {}
    try:
        found = json.loads(_fernet().decrypt(bytes(sealed)))
    except (InvalidToken, ValueError):
        raise Broken("sealed by another SECRET_KEY") from None
    return {str(key): str(value) for key, value in found.items()}


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_key(k))) for k in keys])


def _key(secret: str) -> bytes:
    # A purpose of its own: a seal must not be openable by anything else that is made from SECRET_KEY.
    return hashlib.sha256(b"makegood.seal:" + secret.encode()).digest()
