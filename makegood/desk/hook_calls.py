"""Events on their way to endpoints outside: claimed by a worker, reported as it went, tried again, given up, sent once more.

The rows are written by the database itself, in the statement that writes the event (migration 0019): no verb can forget
them, and a site without endpoints pays one look at an empty table. Calls of a case may overtake each other: each carries
the case's version, so that its receiver knows what is newer, and one that fails holds up no other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce

from makegood.base import clock
from makegood.connectors.post import KEPT, Answer
from makegood.desk import notices
from makegood.webhooks.models import Hook, HookCall, HookTry

#: How long one worker may hold a call: longer than an answer may take (connectors/post.py: 15 s, and the look-up of a name).
CLAIM = timedelta(minutes=2)
#: The example schedule of Standard Webhooks 1.0: what is waited before each try; after the last the call is given up.
SCHEDULE = tuple(
    timedelta(seconds=s) for s in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
#: After so long without one success the endpoint is switched off: before the last try of the schedule (75 hours, a tenth more
#: or less), so that one single call that was never taken is enough.
OFF_AFTER = timedelta(hours=60)
#: An endpoint that fails rests so long before anything else is sent to it: doubled each time, five minutes at most.
REST, LONGEST_REST = timedelta(seconds=5), timedelta(minutes=5)
#: While it fails, one probe at a time: nobody else calls it for as long as one answer may take.
PROBE = timedelta(seconds=30)
_State = HookCall.State


def claim() -> HookCall | None:
    """Take the call that is due longest of one endpoint, for this worker alone, and count the try; None when none is due."""
    now = clock.now()
    due = HookCall.objects.filter(hook=OuterRef("pk"), state=_State.WAITING, look_at__lte=now)
    ready = Hook.objects.filter(Exists(due), _awake(now), off_at__isnull=True)
    # In any order: one endpoint with a hundred thousand calls must not stand before all others.
    for hook in random.sample(found := list(ready[:50]), len(found)):
        with transaction.atomic():
            call = (
                HookCall.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("hook", "event__case__shop")
                .filter(hook=hook, state=_State.WAITING, look_at__lte=now)
                .order_by("look_at", "id")
                .first()
            )
            if call is None:
                continue
            # Asked of the row as it is now: of two workers only one probes an endpoint that fails.
            probing = Hook.objects.filter(_awake(now), pk=hook.pk, failures__gt=0)
            if hook.failures and not probing.update(rest_until=now + PROBE):
                continue
            call.tries += 1
            call.look_at = now + CLAIM
            call.save(update_fields=["tries", "look_at"])
            return call
    return None


def _awake(now: datetime) -> Q:
    return Q(rest_until__isnull=True) | Q(rest_until__lte=now)


def answered(call: HookCall, answer: Answer) -> None:
    """The endpoint answered: any 2xx is success, 410 switches it off, everything else is tried again."""
    _note(call, status=answer.status, ms=answer.ms, answer=_text(answer.body))
    if 200 <= answer.status < 300:
        _arrived(call)
    elif answer.status == 410:
        with transaction.atomic():
            HookCall.objects.filter(pk=call.pk).update(state=_State.DEAD, done_at=clock.now())
            _switch_off(call.hook, Hook.Off.GONE)
    else:
        _again(call, timedelta(seconds=answer.retry_after))


def unanswered(call: HookCall, code: str, ms: int) -> None:
    """No answer came; ``code`` says why (slow, unreachable, private …)."""
    _note(call, error=code, ms=ms)
    _again(call, timedelta())


def _arrived(call: HookCall) -> None:
    HookCall.objects.filter(pk=call.pk).update(state=_State.SENT, done_at=clock.now())
    if call.hook.failures or call.hook.failing_since:
        Hook.objects.filter(pk=call.hook_id).update(failures=0, failing_since=None, rest_until=None)


def _again(call: HookCall, asked: timedelta) -> None:
    """Wait as the schedule says (a little more or less, so that calls do not come in waves), or as long as was asked."""
    now = clock.now()
    waiting = HookCall.objects.filter(pk=call.pk, state=_State.WAITING)
    with transaction.atomic():
        if call.tries >= len(SCHEDULE):
            waiting.update(state=_State.DEAD, done_at=now)
        else:
            wait = max(SCHEDULE[call.tries] * random.uniform(0.9, 1.1), asked)
            # Only the claim that was the last one says when to try again.
            waiting.filter(tries=call.tries).update(look_at=now + wait)
        rest = max(min(REST * 2 ** min(call.hook.failures, 10), LONGEST_REST), asked)
        Hook.objects.filter(pk=call.hook_id).update(
            failures=F("failures") + 1, failing_since=Coalesce("failing_since", now), rest_until=now + rest
        )
        since = call.hook.failing_since
        if since is not None and since < now - OFF_AFTER:
            _switch_off(call.hook, Hook.Off.FAILING)


def _switch_off(hook: Hook, why: str) -> None:
    """Nothing is sent to it any more until a person switches it on; what waits stays. Who made it and the keepers hear of it."""
    if Hook.objects.filter(pk=hook.pk, off_at__isnull=True).update(off=why, off_at=clock.now()):
        notices.notify(None, "hook_off", to=[hook.made_by_id, *notices.keepers()], data={"hook": hook.pk})


def _note(call: HookCall, **how: object) -> None:
    HookTry.objects.create(call=call, at=clock.now(), **how)


def _text(body: bytes) -> str:
    return body[:KEPT].decode("utf-8", "replace").replace("\x00", "\ufffd")


@dataclass(frozen=True)
class Range:
    """Events to be sent again: those written from a moment on, at most ``most``."""

    since: datetime
    most: int = 100_000


def replay(hook: Hook, what: Range) -> int:
    """Put the events since a moment on their way (again), also those that came while it was off; how many.

    They keep the webhook-id that they had, so that a receiver which has worked one through knows it again.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_REPLAY, {"hook": hook.pk, "since": what.since, "now": now, "most": what.most})
        return cursor.rowcount


_REPLAY = """
INSERT INTO makegood_hookcall (key, hook_id, event_id, state, tries, look_at, made_at)
SELECT gen_random_uuid(), h.id, e.id, 'waiting', 0, %(now)s, %(now)s
FROM makegood_hook h
JOIN makegood_caseevent e ON e.written_at >= %(since)s AND (h.kinds = '{}' OR e.kind = ANY (h.kinds))
JOIN makegood_case c ON c.id = e.case_id AND (h.shop_id IS NULL OR c.shop_id = h.shop_id)
WHERE h.id = %(hook)s
ORDER BY e.id LIMIT %(most)s
ON CONFLICT (hook_id, event_id) DO UPDATE
SET state = 'waiting', tries = 0, look_at = EXCLUDED.look_at, done_at = NULL
"""


def once_more(hook: Hook, call_id: int) -> bool:
    """Put one call on its way again, with the id that it had; False when it is not this endpoint's."""
    found = HookCall.objects.filter(hook=hook, pk=call_id if 0 < call_id < 2**63 else 0)
    return bool(found.update(state=_State.WAITING, tries=0, look_at=clock.now(), done_at=None))
