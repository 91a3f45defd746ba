"""Fetching one mailbox by IMAP, and waiting there for the next letter.

The order is the whole safety: the letter is fetched without being marked (BODY.PEEK), stored and committed, only then
marked as seen, only then counted as done (``last_uid``). A crash between any two leads to fetching it again, and the
same bytes in the same mailbox are the same row.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Length
from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError

from makegood.base import clock
from makegood.conversations.models import LetterSource, Mailbox
from makegood.conversations.reaching import Unreached, reached
from makegood.desk import receiving

log = logging.getLogger("makegood.mail")

#: Seconds: how long one IDLE lasts (servers end it after 30 minutes, routers forget quiet connections after 5), and how
#: often a server without IDLE is asked. A minute: what was told in the last moment before IDLE waits no longer than that.
RENEW, POLL = 60.0, 30.0
#: Seconds before the next try after the first, second … failure in a row.
BACK_OFF = (2.0, 5.0, 15.0, 60.0, 180.0, 300.0)
_SLICE = 1.0


class Fetcher:
    """One mailbox, for as long as ``stop`` is not set. Runs in a thread of its own and holds no database connection while it waits."""

    def __init__(self, mailbox_id: int, stop: threading.Event) -> None:
        self.mailbox_id, self.stop = mailbox_id, stop
        self.failures = 0
        self._done: set[int] = set()

    def run(self) -> None:
        """Fetch and wait until stopped; whatever the server does, go on after a pause. Ends when the mailbox is gone."""
        while not self.stop.is_set():
            try:
                if not self._reach(self._attend):
                    return
            except Exception as error:
                self._failed(error)
            finally:
                connection.close()
            self.stop.wait(BACK_OFF[min(self.failures, len(BACK_OFF) - 1)])
            self.failures += 1

    def once(self) -> str:
        """Fetch what is there and come back; '' or what went wrong."""
        try:
            self._reach(self._take_all)
        except Exception as error:
            self._failed(error)
            return str(error)
        finally:
            connection.close()
        return ""

    def _reach(self, act: Callable[[IMAPClient, Mailbox], None]) -> bool:
        mailbox = Mailbox.objects.select_related("shop").filter(pk=self.mailbox_id).first()
        if mailbox is None or not mailbox.active or mailbox.way != Mailbox.Way.IMAP:
            return False
        with reached(mailbox) as (client, uidvalidity):
            begin(client, mailbox, uidvalidity)
            act(client, mailbox)
        return True

    def _attend(self, client: IMAPClient, mailbox: Mailbox) -> None:
        idle = client.has_capability("IDLE")
        while not self.stop.is_set():
            self._take_all(client, mailbox)
            # Once more: a letter that came while the first round was at work was told in the answer to one of its own
            # commands, and IDLE does not tell it again.
            self._take_all(client, mailbox)
            self.failures = 0
            connection.close()  # a mailbox that waits for hours must not hold one of the pool's connections
            if idle:
                wait_for_news(client, self.stop)
            elif not self.stop.wait(POLL):
                client.noop()

    def _take_all(self, client: IMAPClient, mailbox: Mailbox) -> None:
        failed = take_new(client, mailbox, self._done, self.stop)
        Mailbox.objects.filter(pk=mailbox.pk).update(seen_at=clock.now(), trouble=failed)

    def _failed(self, error: Exception) -> None:
        told = str(error) if isinstance(error, Unreached) else f"{type(error).__name__}: {error}"
        log.warning("mailbox %s: %s", self.mailbox_id, told)
        try:
            Mailbox.objects.filter(pk=self.mailbox_id).update(trouble=told.replace("\x00", "")[:500])
        except Exception:
            log.warning("mailbox %s: its trouble could not be written down", self.mailbox_id)


def begin(client: IMAPClient, mailbox: Mailbox, uidvalidity: int) -> None:
    """Know where we stand in this folder. Under another UIDVALIDITY every number means another letter.

    The first time, what people have read before is not ours to open; only what nobody has seen is taken. Later, when the
    numbers have changed, all that came since the mailbox is here is looked at again and known by what it is.
    """
    if mailbox.uidvalidity == uidvalidity:
        return
    if mailbox.uidvalidity is None:
        uids = client.search(["UNSEEN"])
    else:
        since = (mailbox.made_at - timedelta(days=1)).date()
        uids = sorted({*client.search(["SINCE", since]), *client.search(["UNSEEN"])})
        log.info("mailbox %s: UIDVALIDITY changed, %s letters are looked at again", mailbox.pk, len(uids))
    highest = max([0, *client.search(["ALL"])])
    for uid in sorted(uids):
        if not known(client, mailbox, uid):
            take_one(client, mailbox, uid)
    # Only now: a crash in the middle begins this look again.
    mailbox.uidvalidity, mailbox.last_uid = uidvalidity, highest
    mailbox.save(update_fields=["uidvalidity", "last_uid"])


def known(client: IMAPClient, mailbox: Mailbox, uid: int) -> bool:
    """Whether a letter with this id and of just this size came by this mailbox before, so that it need not be fetched whole."""
    field = b"BODY[HEADER.FIELDS (MESSAGE-ID)]"
    found = client.fetch([uid], ["RFC822.SIZE", "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]"]).get(uid, {})
    header = found.get(field, b"").decode("ascii", "replace").partition(":")[2].strip()
    if not header:
        return False
    same = LetterSource.objects.filter(letter__mailbox=mailbox, letter__header_id=header)
    return same.annotate(size=Length("content")).filter(size=found.get(b"RFC822.SIZE")).exists()


def take_new(
    client: IMAPClient, mailbox: Mailbox, done: set[int], stop: threading.Event | None = None
) -> str:
    """Take every letter above ``last_uid``; those that the server does not give out are left for the next round and told."""
    uids = [uid for uid in client.search(["UID", f"{mailbox.last_uid + 1}:*"]) if uid > mailbox.last_uid]
    failed: list[int] = []
    for uid in sorted(uids):
        if stop is not None and stop.is_set():
            break
        if uid not in done:
            try:
                take_one(client, mailbox, uid)
            except IMAPClient.AbortError:
                raise
            except IMAPClientError as error:
                # One letter that the server cannot give out must not keep back those behind it.
                log.warning("mailbox %s: letter %s is not given out: %s", mailbox.pk, uid, error)
                failed.append(uid)
                continue
            done.add(uid)
        if not failed:
            Mailbox.objects.filter(pk=mailbox.pk, uidvalidity=mailbox.uidvalidity).update(last_uid=uid)
            mailbox.last_uid = uid
            done.discard(uid)
    return f"letter: {', '.join(map(str, failed[:20]))}" if failed else ""


def take_one(client: IMAPClient, mailbox: Mailbox, uid: int) -> None:
    """Fetch, store, mark as seen; in this order."""
    found = client.fetch([uid], ["RFC822.SIZE"]).get(uid)
    if found is None:
        return  # somebody took it out of the folder meanwhile
    too_large = found.get(b"RFC822.SIZE", 0) > receiving.LIMIT
    part = f"BODY.PEEK[]<0.{receiving.LIMIT}>" if too_large else "BODY.PEEK[]"
    answer = client.fetch([uid], [part]).get(uid, {})
    raw = answer.get(b"BODY[]<0>" if too_large else b"BODY[]")
    if raw is None:
        return
    receiving.take_in(raw, way=Mailbox.Way.IMAP, mailbox=mailbox, too_large=too_large)
    if not too_large:  # what we hold only the beginning of stays unread for whoever looks into the mailbox
        client.add_flags([uid], [SEEN], silent=True)


def wait_for_news(client: IMAPClient, stop: threading.Event, *, renew: float | None = None) -> None:
    """IDLE until the server says that something came, or it is time to renew. Raises Unreached when the line is cut."""
    client.idle()
    end = time.monotonic() + (RENEW if renew is None else renew)
    while not stop.is_set() and time.monotonic() < end:
        began = time.monotonic()
        news = client.idle_check(timeout=_SLICE)
        if any(len(told) > 1 and told[1] == b"EXISTS" for told in news):
            break
        if any(told[0] == b"BYE" for told in news):
            raise Unreached("cut", "BYE")
        # At the end of the line idle_check comes back at once with nothing, for ever.
        if not news and time.monotonic() - began < _SLICE / 2:
            raise Unreached("cut", "the connection ended")
    client.idle_done()
