"""The same request sent twice is done once: ``Idempotency-Key`` on every POST.

The key's row is inserted first, in the transaction of the verb itself. Two at once meet on its unique index: the second
waits until the first has committed, then gets the first one's answer. A crash takes row and effects together. What was
refused leaves no row: after the cause is mended, the same key may be tried again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from makegood.api.models import IdempotencyKey
from makegood.api.problems import DoorError
from makegood.api.tokens import caller_of
from makegood.base import clock

Work = Callable[[], dict[str, Any]]


def once(request: HttpRequest, work: Work, *, status: int) -> HttpResponse:
    """Do ``work`` and answer with what it returns; under a key that was answered before, answer the same without doing it.

    Raises DoorError: 400 for a key that is no key, 422 for one that came with another request.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return answer(work(), status)
    if not (0 < len(key) <= 200 and key.isascii() and key.isprintable()):
        raise DoorError(
            400,
            "bad_key",
            _("An Idempotency-Key is 1 to 200 printable ASCII characters."),
            field="Idempotency-Key",
        )
    told = fingerprint(request)
    with transaction.atomic():
        row_id = claim(caller_of(request).token_id, key, told)
        if row_id is None:
            return replay(caller_of(request).token_id, key, told)
        body = work()
        IdempotencyKey.objects.filter(pk=row_id).update(answer={"status": status, "body": body})
    return answer(body, status)


def claim(token_id: int, key: str, told: str) -> int | None:
    """The id of a new row for this key; None when the key is taken (after waiting for whoever is taking it)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO makegood_idempotencykey (token_id, key, body_hash, made_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (token_id, key) DO NOTHING RETURNING id",
            [token_id, key, told, clock.now()],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def replay(token_id: int, key: str, told: str) -> HttpResponse:
    row = IdempotencyKey.objects.get(token_id=token_id, key=key)
    if row.body_hash != told:
        raise DoorError(
            422,
            "key_reused",
            _("This Idempotency-Key came with another request before."),
            field="Idempotency-Key",
        )
    told_then: Any = row.answer  # never null once it is committed: row and answer are of one transaction
    response = answer(told_then["body"], told_then["status"])
    response["Idempotency-Replayed"] = "true"
    return response


def fingerprint(request: HttpRequest) -> str:
    """What makes two requests the same: address, expected version and body, byte for byte."""
    parts = (request.path.encode(), request.headers.get("If-Match", "").encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def answer(body: dict[str, Any], status: int) -> HttpResponse:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpResponse(content, status=status, content_type="application/json")
