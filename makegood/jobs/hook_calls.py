"""Sending the webhooks that are due, one call at a time; nothing slow happens inside a transaction (law 6)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from makegood.base import clock
from makegood.base.seal import Broken
from makegood.connectors.errors import OutsideError
from makegood.connectors.post import post
from makegood.desk import hook_calls, hooks
from makegood.webhooks import payload, signing
from makegood.webhooks.models import HookCall

log = logging.getLogger("makegood.jobs")


def send_due(stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until nothing is or ``stop()`` says so; returns how many were tried."""
    tried = 0
    while not stop():
        call = hook_calls.claim()
        if call is None:
            break
        send(call)
        tried += 1
    return tried


def send(call: HookCall) -> None:
    """Send one claimed call and write down how it went. At least once, with the same webhook-id at every try."""
    began = time.monotonic()
    try:
        keys = hooks.keys_of(call.hook)
        body = (
            payload.body(call.event) if call.event else payload.test_body(call.pk, call.made_at.isoformat())
        )
        signed = signing.headers(f"msg_{call.key.hex}", int(clock.now().timestamp()), body, keys)
        headers = {"Content-Type": "application/json", "User-Agent": "Makegood-Webhooks/1", **signed}
        answer = post(call.hook.url, body, headers)
    except (OutsideError, Broken, KeyError) as error:
        code = error.code if isinstance(error, OutsideError) else "secret"
        log.warning("webhook %s, call %s not delivered: %s", call.hook_id, call.pk, code)
        hook_calls.unanswered(call, code, int((time.monotonic() - began) * 1000))
    else:
        hook_calls.answered(call, answer)
