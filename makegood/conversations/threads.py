"""Which case a letter belongs to, by what only we could have written: signed Message-IDs and signed addresses.

A case number stands in every subject and can be guessed; whoever could join a case by it would read a stranger's
answers. So each Message-ID, reply address and return path carries 80 bits of an HMAC by the site's secret. They are
written in small letters and digits only, since mail programs lower-case addresses, drop angle brackets and fold lines;
what was put before or behind them (SRS, PRVS, another domain) does not matter.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from makegood.cases.models import Case, Ending
from makegood.conversations.models import Delivery, Mailbox

_SIGNATURE = 16  # letters of base32, 5 bits each
_SIGNED = r"([0-9]{1,18})\.([a-z2-7]{16})(?![a-z0-9])"
_LETTER, _THREAD = re.compile("letter-" + _SIGNED), re.compile("case-" + _SIGNED)
_REPLY, _RETURN = re.compile(r"\+" + _SIGNED), re.compile(r"\+b" + _SIGNED)
_ASKED = re.compile(r"ask-([0-9]{1,18})-([0-9]{1,18})\.([a-z2-7]{16})(?![a-z0-9])")
_ASK_REPLY = re.compile(r"\+a" + _SIGNED)
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9.-]*")
#: RFC 5321 4.5.3.1.1: what stands before the @ has at most 64 octets.
LOCAL_PART = 64


def message_id_for(delivery: Delivery) -> str:
    """``<letter-{pk}.{signature}@{domain}>``: as it was fixed in the row at the first try, else as it will be."""
    if delivery.header_id:
        return delivery.header_id
    domain = domain_of(delivery.mailbox.address if delivery.mailbox else settings.DEFAULT_FROM_EMAIL)
    return f"<letter-{delivery.pk}.{_sign('letter', delivery.pk)}@{domain}>"


def thread_id_for(case: Case, domain: str) -> str:
    """The id under which mail programs gather all letters of a case; no letter has it itself."""
    return f"<case-{case.number}.{_sign('case', case.number)}@{domain}>"


def reply_address(mailbox: Mailbox, case: Case) -> str:
    """``local+{number}.{signature}@domain``; the plain address when that would be longer than RFC 5321 allows."""
    return _plus(mailbox.address, f"{case.number}.{_sign('reply', case.number)}")


def return_path(mailbox: Mailbox, delivery: Delivery) -> str:
    """``local+b{pk}.{signature}@domain``: a letter that comes back names itself, however the mail server words it."""
    return _plus(mailbox.address, f"b{delivery.pk}.{_sign('return', delivery.pk)}")


def delivery_of(message_id: str) -> Delivery | None:
    """The letter of ours that has this Message-ID; None when we did not sign it. Its case may have been merged: :func:`case_of`."""
    return _delivery(_LETTER, "letter", message_id)


def delivery_of_return_path(address: str) -> Delivery | None:
    """The letter of ours that came back to this address; None when we did not sign it."""
    return _delivery(_RETURN, "return", address)


def case_of_address(address: str) -> Case | None:
    """The case that an address of ours leads to (for a merged one its survivor); None when we did not sign it."""
    return _case(_REPLY, "reply", address)


def case_of_message_id(message_id: str) -> Case | None:
    """The case of a Message-ID of ours, be it a letter's or the thread's; None when we signed neither."""
    if delivery := delivery_of(message_id):
        return case_of(delivery)
    return _case(_THREAD, "case", message_id)


def case_of(delivery: Delivery) -> Case:
    """The case that an answer to this letter belongs to: its own, or the one that this was merged into."""
    # Read anew: between the claim of a letter and the report on it, its case may have been merged.
    return survivor(Case.objects.get(pk=delivery.case_id))


def ask_message_id(sending_pk: int, ask_pk: int, domain: str) -> str:
    """The Message-ID of a letter to an outside party: ``<ask-{sending}-{task}.{signature}@{domain}>``."""
    return f"<ask-{sending_pk}-{ask_pk}.{_sign(f'ask-{sending_pk}', ask_pk)}@{domain}>"


def ask_address(mailbox: Mailbox, ask_pk: int) -> str:
    """``local+a{task}.{signature}@domain``: what an outside party answers to."""
    return _plus(mailbox.address, f"a{ask_pk}.{_sign('ask-reply', ask_pk)}")


def asks_in(text: str) -> Iterator[int]:
    """The tasks for outside parties that an address or a Message-ID of ours names."""
    yield from _signed(_ASK_REPLY, "ask-reply", text)
    yield from (ask for _sending, ask in _asked(text))


def sendings_in(text: str) -> Iterator[int]:
    """The letters to outside parties that a Message-ID of ours names."""
    yield from (sending for sending, _ask in _asked(text))


def _asked(text: str) -> Iterator[tuple[int, int]]:
    for found in _ASKED.finditer("".join(text[:2000].split()).lower()):
        sending, ask = int(found[1]), int(found[2])
        fits = [constant_time_compare(_sign(f"ask-{sending}", ask, key), found[3]) for key in _secrets()]
        if any(fits):
            yield sending, ask


def survivor(case: Case) -> Case:
    """The case itself, or the last one that it was merged into."""
    while case.ended_as == "merged":
        into = Ending.objects.select_related("survivor").filter(case=case, survivor__isnull=False).first()
        if into is None or into.survivor is None:
            break
        case = into.survivor
    return case


def site_id() -> str:
    """What our own loop header names: this site, and nothing about its secret."""
    return _sign("site", 0)


def domain_of(address: str) -> str:
    """The domain of an address as a Message-ID may carry it: ASCII, and no longer than the row has room for."""
    _local, at, domain = parseaddr(address)[1].rpartition("@")
    try:
        ascii_only = domain.strip().lower().encode("idna").decode("ascii")
    except UnicodeError:
        ascii_only = ""
    short = ascii_only[-140:].lstrip(".-")
    return short if at and _DOMAIN.fullmatch(short) else "localhost"


def _delivery(pattern: re.Pattern[str], purpose: str, text: str) -> Delivery | None:
    for pk in _signed(pattern, purpose, text):
        found = Delivery.objects.select_related("case", "message", "mailbox").filter(pk=pk).first()
        if found is not None:
            return found
    return None


def _case(pattern: re.Pattern[str], purpose: str, text: str) -> Case | None:
    for number in _signed(pattern, purpose, text):
        found = Case.objects.filter(number=number).first()
        if found is not None:
            return survivor(found)
    return None


def _signed(pattern: re.Pattern[str], purpose: str, text: str) -> Iterator[int]:
    """The numbers in ``text`` whose signature is ours, by the present secret or one that it replaced."""
    plain = "".join(text[:2000].split()).lower().replace("%2b", "+")
    for found in pattern.finditer(plain):
        number, signature = int(found[1]), found[2]
        # Every secret is tried, whichever fits: how long it took tells nobody anything.
        fits = [constant_time_compare(_sign(purpose, number, key), signature) for key in _secrets()]
        if any(fits):
            yield number


def _secrets() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _sign(purpose: str, number: int, secret: str | None = None) -> str:
    digest = salted_hmac(
        f"makegood.threads.{purpose}", str(number), secret=secret, algorithm="sha256"
    ).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:_SIGNATURE]


def _plus(address: str, tag: str) -> str:
    local, _at, domain = address.rpartition("@")
    signed = f"{local}+{tag}"
    return f"{signed}@{domain}" if len(signed.encode()) <= LOCAL_PART else address
