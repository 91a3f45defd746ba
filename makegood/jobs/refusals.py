"""Why a letter was not taken: try again, given up for good, or given up because the address is wrong. Pure.

The fear is on both sides. Trying a dead address for a day hides that nobody was reached; giving up on (or marking!) an
address because *our* relay was misconfigured for an hour would silence every customer at once. So an address is marked
only when the server blames the recipient (RFC 3463: 5.1.x, 5.2.1), and what looks like our own fault is tried again.
"""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError

_ENHANCED = re.compile(rb"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
#: 550 and 551 and 553 of RFC 5321 4.2.3: no such mailbox, not here, a name that is not allowed.
_NO_SUCH_MAILBOX = frozenset({550, 551, 553})
#: Words by which a bare 550 (without a code of RFC 3463) says that it is about us, not about the recipient.
_ABOUT_US = re.compile(
    rb"relay|spam|block|reject(?:ed)? (?:by|due)|policy|blacklist|listed|auth|denied|spf|dkim|dmarc|reputation|rate",
    re.IGNORECASE,
)
_PASSING = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)


@dataclass(frozen=True)
class Verdict:
    """``for_good``: no later try would go better. ``address_is_wrong``: the server blames the recipient."""

    for_good: bool
    address_is_wrong: bool = False


AGAIN, GIVEN_UP, WRONG_ADDRESS = Verdict(False), Verdict(True), Verdict(True, True)


def judge(error: Exception) -> Verdict:
    """What the error of sending one letter to one recipient means."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        verdicts = [_reply(code, said) for code, said in error.recipients.values()]
        return max(verdicts, key=lambda v: (v.address_is_wrong, v.for_good), default=AGAIN)
    if isinstance(error, smtplib.SMTPDataError):
        # At DATA the letter itself is refused; only a code that names the recipient blames the address.
        verdict = _reply(error.smtp_code, error.smtp_error)
        return verdict if _code(error.smtp_error) else Verdict(verdict.for_good)
    if any(kind.__name__ == "AnymailError" for kind in type(error).__mro__):
        return _of_provider(error)  # before OSError, from which its errors of HTTP descend
    if isinstance(error, (smtplib.SMTPException, OSError, DatabaseError, ImproperlyConfigured)):
        return AGAIN  # the relay, its password, the line, our own settings or database: none of the letter's fault
    return GIVEN_UP  # it cannot even be written: no later try would go better, and people must see it


def _reply(code: int, said: bytes | str) -> Verdict:
    if code < 500:
        return AGAIN
    text = said.encode(errors="replace") if isinstance(said, str) else said
    if found := _code(text):
        subject, detail = found
        return (
            WRONG_ADDRESS
            if (subject == 1 and detail not in (7, 8)) or (subject, detail) == (2, 1)
            else GIVEN_UP
        )
    return WRONG_ADDRESS if code in _NO_SUCH_MAILBOX and not _ABOUT_US.search(text) else GIVEN_UP


def _code(said: bytes | str) -> tuple[int, int] | None:
    found = _ENHANCED.search(said.encode(errors="replace") if isinstance(said, str) else said)
    return (int(found[2]), int(found[3])) if found and found[1] == b"5" else None


def _of_provider(error: Exception) -> Verdict:
    """Errors of django-anymail by name: it is an extra, and need not be installed."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"AnymailRecipientsRefused", "AnymailInvalidAddress"}:
        return WRONG_ADDRESS
    if names & {"AnymailConfigurationError", "AnymailImproperlyInstalled"}:
        return AGAIN
    if "AnymailAPIError" in names:
        status: Any = getattr(error, "status_code", None)
        refused = isinstance(status, int) and 400 <= status < 500 and status not in _PASSING
        return GIVEN_UP if refused else AGAIN
    return GIVEN_UP  # what this provider cannot carry, and never will
