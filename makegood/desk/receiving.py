"""Letters on their way in: the raw bytes are stored first, then a worker claims the row and reads it, once.

Between the wire and the case there is no step after which a crash could lose a letter or make two of it: the row is
committed before anybody is told that we have it; the same bytes in the same mailbox are the same row; what a letter
becomes on a case is written together with its row. A letter that cannot be read is set aside where people see it.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from makegood.base import clock
from makegood.base.errors import DeskError
from makegood.conversations.models import Letter, LetterSource, Mailbox
from makegood.desk import letter_acts
from makegood.people import actors
from makegood.text import letters
from makegood.text.letters import Unreadable

log = logging.getLogger("makegood.desk")

#: The largest letter that is taken in whole, in bytes; mail servers usually stop at 10 to 50 MB.
LIMIT = 40 * 2**20
#: How long one worker may hold a letter that it reads.
CLAIM = timedelta(minutes=5)
#: The waits after each try that failed for a reason of ours; after the last one the letter is set aside.
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60))
#: The job that reads what is due. It is named, not imported: jobs stand above.
JOB, LOCK = "makegood.jobs.tasks.read_letters", "read_letters"


def take_in(
    raw: bytes, *, way: str, mailbox: Mailbox, envelope_to: str = "", too_large: bool = False
) -> Letter:
    """Store a letter as it came, in a transaction of its own that is committed when this returns.

    The same bytes in the same mailbox are one row, however often and by however many they are brought: that row is
    returned. ``too_large``: only the beginning was fetched; the letter is set aside, the rest is still where it was.
    """
    sha = hashlib.sha256(raw).hexdigest()
    now = clock.now()
    letter = Letter(
        mailbox=mailbox, way=way, sha256=sha, came_at=now, look_at=now, envelope_to=envelope_to[:254]
    )
    if too_large or len(raw) > LIMIT:
        letter.state, letter.look_at, letter.because = Letter.State.SET_ASIDE, None, "too_large"
    try:
        with transaction.atomic(durable=True):
            letter.save(force_insert=True)
            LetterSource.objects.create(letter=letter, content=raw)
    except IntegrityError:
        return Letter.objects.get(mailbox=mailbox, sha256=sha)
    nudge()
    return letter


def nudge() -> None:
    """Wake the worker; only a nudge, since it looks by itself every minute."""
    if ProcrastinateJob.objects.filter(queueing_lock=LOCK, status="todo").exists():
        return
    with suppress(AlreadyEnqueued):
        app.configure_task(JOB, queueing_lock=LOCK).defer()


def claim() -> Letter | None:
    """Take the letter that is due longest, for this worker alone, and count the try; None when none is due.

    The try is counted before the letter is read: one that kills its worker each time is set aside like any other.
    """
    while letter := _claim(clock.now()):
        if letter.tries <= len(WAITS) + 1:
            return letter
        set_aside(letter, letter.because or "gave_up")
    return None


def _claim(now: datetime) -> Letter | None:
    with transaction.atomic():
        letter = (
            Letter.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("mailbox__shop")
            .filter(state=Letter.State.WAITING, look_at__lte=now)
            .order_by("look_at", "id")
            .first()
        )
        if letter is not None:
            letter.tries += 1
            letter.look_at = now + CLAIM
            letter.save(update_fields=["tries", "look_at"])
    return letter


def read_letter(letter: Letter) -> None:
    """Read a claimed letter and write what became of it. One bad letter stops nobody: whatever goes wrong stays with it."""
    try:
        raw = bytes(LetterSource.objects.values_list("content", flat=True).get(pk=letter.pk))
        letter_acts.act(letter, letters.read(raw), raw, by=actors.system("mail"))
    except Unreadable as error:
        set_aside(letter, f"unreadable:{error.code}")
    except DeskError as error:
        set_aside(letter, f"refused:{error.code}")
    except Exception as error:
        log.exception("letter %s could not be read", letter.pk)
        put_off(letter, f"{type(error).__name__}: {error}")


def put_off(letter: Letter, because: str) -> None:
    """Something of ours failed: the letter is read again later, or, after the last wait, set aside."""
    if letter.tries > len(WAITS):
        set_aside(letter, because)
        return
    _mine(letter).update(look_at=clock.now() + WAITS[max(letter.tries, 1) - 1], because=_short(because))


def set_aside(letter: Letter, because: str) -> None:
    """Nobody could read it or act on it: people see it under 'Letters', with the reason, and decide."""
    _mine(letter).update(state=Letter.State.SET_ASIDE, look_at=None, because=_short(because))


def _mine(letter: Letter) -> QuerySet[Letter]:
    # Not when our claim ran out and somebody else counted a try since: the letter is theirs then.
    return Letter.objects.filter(pk=letter.pk, state=Letter.State.WAITING, tries=letter.tries)


def _short(because: str) -> str:
    return because.replace("\x00", "").encode("utf-8", "replace").decode()[:500]
