"""Which case a letter belongs to, and what its sender is to that case. Reading only.

What only we could have written decides first: our signed addresses and Message-IDs. Then letters that we know by
their ids, then the number in the subject; these two everybody can write, so they count only when the sender belongs
to the case. A case of another shop is never found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Length, Lower

from makegood.cases.access import whole
from makegood.cases.models import Case
from makegood.cases.models.case import is_number
from makegood.conversations import threads
from makegood.conversations.models import Delivery, Mailbox, OnCopy
from makegood.conversations.models import Letter as Row
from makegood.people.models import STAFF, Role, User
from makegood.text.letters import Address, Letter

CUSTOMER, MERCHANT, ON_COPY, STRANGER = "customer", "merchant", "on_copy", "stranger"
_NUMBER = re.compile(r"\[\s*#?([0-9]{3,18})\s*\]")
#: So many ids of a letter are looked up; the newest say most, and a hostile letter names thousands.
_IDS = 30


@dataclass(frozen=True)
class Place:
    """A case, by what it was found ('signed', 'thread', 'subject'), and who the sender is there."""

    case: Case
    how: str
    who: str


def place_of(letter: Letter, mailbox: Mailbox, envelope_to: str = "") -> Place | None:
    """The case that the letter belongs to, merged ones already followed; None when it belongs to none."""
    sender = letter.sender.email.lower()
    for case in _signed(letter, envelope_to):
        if case.shop_id == mailbox.shop_id:
            return Place(case, "signed", who_is(sender, case))
    for how, found in (("thread", _threaded(letter, mailbox)), ("subject", _numbered(letter))):
        for case in found:
            who = who_is(sender, case) if case.shop_id == mailbox.shop_id else STRANGER
            # Ids and numbers can be guessed, and some programs give every letter the same id: a stranger's letter
            # must neither be read into somebody's case nor vanish there.
            if who != STRANGER:
                return Place(case, how, who)
    return None


def who_is(email: str, case: Case) -> str:
    """What this address is to the case: its customer, a merchant of its shop, somebody on copy, or a stranger."""
    email = email.lower()
    if not email:
        return STRANGER
    if case.customer.email.lower() == email:
        return CUSTOMER
    if merchant_of(email, case.shop_id):
        return MERCHANT
    if OnCopy.objects.filter(case__in=whole(case), email=email).exists():
        return ON_COPY
    return STRANGER


def merchant_of(email: str, shop_id: int) -> User | None:
    """The merchant of this shop who signs in with this address."""
    found = User.objects.filter(email__iexact=email, role=Role.MERCHANT, is_active=True, shops=shop_id)
    return found.first() if email else None


def of_the_house(email: str) -> bool:
    """Whether this is the address of staff or of any merchant: their letters open no case in their own name."""
    return bool(email) and User.objects.filter(email__iexact=email, role__in=(*STAFF, Role.MERCHANT)).exists()


def mailbox_of(address: str) -> Mailbox | None:
    """The mailbox in use that a letter to this address comes to, with or without a signed part after the plus."""
    return _boxes(address).filter(active=True).select_related("shop").first()


def is_ours(address: str) -> bool:
    """Whether this is an address of one of our mailboxes."""
    return _boxes(address).exists()


def _boxes(address: str) -> QuerySet[Mailbox]:
    local, _at, domain = address.strip().strip("<>").lower().rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    # Compared as the unique index stands; the address with a plus may be a mailbox of its own.
    boxes = Mailbox.objects.alias(small=Lower("address")).filter(small__in=[f"{local}@{domain}", plain])
    return boxes.order_by(Length("address").desc())


def writer_of(read: Letter) -> Address:
    """Whose letter it is. A form on a shop's site often writes in the shop's own name and names the customer as Reply-To."""
    others = [a for a in read.reply_to if a.email and not is_ours(a.email)]
    if others and (not read.sender.email or is_ours(read.sender.email)):
        return others[0]
    return read.sender


def returned(letter: Letter, envelope_to: str = "") -> Delivery | None:
    """The letter of ours that this delivery report is about, by what only we could have signed."""
    for address in _addresses(letter, envelope_to):
        if found := threads.delivery_of_return_path(address):
            return found
    ids = [letter.bounce.original_message_id] if letter.bounce else []
    for known in (*ids, *_ids(letter)):
        if known and (found := threads.delivery_of(known)):
            return found
    return None


def likely_returned(letter: Letter, mailbox: Mailbox) -> Delivery | None:
    """The last letter to an address that the report names. Anybody can write such a report: a hint, never a fact."""
    recipients = [r.lower() for r in (letter.bounce.recipients if letter.bounce else ())][:20]
    found = Delivery.objects.filter(to__in=recipients, case__shop=mailbox.shop_id, state=Delivery.State.SENT)
    return found.select_related("case").order_by("-sent_at").first() if recipients else None


def _signed(letter: Letter, envelope_to: str) -> Iterator[Case]:
    for address in _addresses(letter, envelope_to):
        if case := threads.case_of_address(address):
            yield case
    for known in _ids(letter):
        if case := threads.case_of_message_id(known):
            yield case


def _threaded(letter: Letter, mailbox: Mailbox) -> Iterator[Case]:
    ids = _ids(letter)
    rows = Row.objects.filter(header_id__in=ids, mailbox__shop=mailbox.shop_id, case__isnull=False)
    deliveries = Delivery.objects.filter(header_id__in=ids, case__shop=mailbox.shop_id)
    found: dict[str, Case] = {}
    for row in rows.select_related("case")[:100]:
        assert row.case is not None
        found.setdefault(row.header_id, row.case)
    for delivery in deliveries.select_related("case")[:100]:
        found.setdefault(delivery.header_id, delivery.case)
    for known_id in ids:
        if known_id in found:
            yield threads.survivor(found[known_id])


def _numbered(letter: Letter) -> Iterator[Case]:
    for number in _NUMBER.findall(letter.subject)[:5]:
        if is_number(int(number)) and (case := Case.objects.filter(number=int(number)).first()):
            yield threads.survivor(case)


def _addresses(letter: Letter, envelope_to: str) -> list[str]:
    every = [envelope_to, *letter.delivered_to, *(a.email for a in (*letter.to, *letter.cc))]
    return [a for a in dict.fromkeys(every) if "+" in a or "%2b" in a.lower()][:_IDS]


def _ids(letter: Letter) -> list[str]:
    """What the letter answers, nearest first."""
    return list(dict.fromkeys((*letter.in_reply_to, *reversed(letter.references))))[:_IDS]
