"""What is looked at before a letter is acted on: the filter's verdict, whether it came before, whether its sender opens too much."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q

from makegood.base import clock
from makegood.conversations.models import Letter, Mailbox
from makegood.desk.letter_place import writer_of
from makegood.packs import policy
from makegood.text import letters

Outcome, State = Letter.Outcome, Letter.State
#: A letter without an id of its own is compared with those that came so shortly before.
_NEAR = timedelta(days=2)


def too_many(sender: str, mailbox: Mailbox) -> bool:
    """Whether this sender has opened as many cases of this shop as the policy allows in an hour or a day."""
    rules, now = policy().letters, clock.now()
    mine = Letter.objects.filter(
        sender=sender.lower()[:254], mailbox__shop=mailbox.shop_id, outcome=Outcome.OPENED, by__isnull=True
    )
    return (
        mine.filter(done_at__gt=now - timedelta(hours=1)).count() >= rules.opens_per_hour
        or mine.filter(done_at__gt=now - timedelta(days=1)).count() >= rules.opens_per_day
    )


def twin_of(row: Letter, read: letters.Letter, digest: str) -> Letter | None:
    """The letter of this shop that says the same under the same id from the same sender, and was done before."""
    assert row.mailbox is not None
    known = Letter.objects.filter(
        mailbox__shop=row.mailbox.shop_id,
        sender=writer_of(read).email.lower()[:254],
        header_id=read.message_id[:400],
        said_sha256=digest,
        state=State.DONE,
    ).exclude(Q(pk=row.pk) | Q(outcome=Outcome.TWICE))
    if not read.message_id:
        if read.date is None:
            return None  # nothing tells two short letters with the same words apart
        known = known.filter(came_at__gt=row.came_at - _NEAR)
    return known.select_related("case").order_by("id").first()


def aside_by_header(raw: bytes) -> str:
    """The code of the policy's rule by which the mail server's filter sets this letter aside; '' when none does."""
    head = raw[: 64 * 1024].replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode("latin-1").lower()
    lines = head.replace("\n ", " ").replace("\n\t", " ").split("\n")
    for header, says in policy().letters.aside:
        if any(line.startswith(f"{header}:") and says in line.partition(":")[2] for line in lines):
            return f"filter:{header}"
    return ""


def own_list(read: letters.Letter, mailbox: Mailbox) -> bool:
    """Whether the list that the letter came through is the mailbox itself: a shop's address is often a group of its provider.

    Google and others name it by the address with a dot for the @ (RFC 2919).
    """
    own = f"<{mailbox.address.lower().replace('@', '.')}>"
    return read.automatic == "list" and own in read.automatic_because.lower()
