"""The customer's key to their case: made, found again, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings

from makegood.base import clock, rows
from makegood.cases.access import quiet_token_of, token_of
from makegood.cases.models import Case, CaseLink
from makegood.packs import policy


def make(case: Case, *, shown: bool = False) -> CaseLink:
    """A new link, valid for as long as the policy says. ``shown``: on a page, to somebody whose address nobody has tried."""
    now = clock.now()
    return rows.add(CaseLink(case=case, made_at=now, ends_at=now + policy().customer_link, shown=shown))


def standing(case: Case) -> CaseLink:
    """The newest link that is valid for at least another week, else a new one: a letter never carries a dead address."""
    soon = clock.now() + timedelta(days=7)
    found = case.links.filter(revoked_at__isnull=True, shown=False, ends_at__gt=soon).order_by("-id").first()
    return found or make(case)


def standing_for(cases: Sequence[Case]) -> dict[int, CaseLink]:
    """:func:`standing` for many cases at once, by the case's id."""
    now = clock.now()
    valid = CaseLink.objects.filter(revoked_at__isnull=True, shown=False, ends_at__gt=now + timedelta(days=7))
    # The newest of a case comes last and stays.
    found = {link.case_id: link for link in valid.filter(case__in=[c.pk for c in cases]).order_by("id")}
    lacking = [case for case in cases if case.pk not in found]
    ends_at = now + policy().customer_link
    made = CaseLink.objects.bulk_create(CaseLink(case=case, made_at=now, ends_at=ends_at) for case in lacking)
    return found | {link.case_id: link for link in made}


def address(link: CaseLink) -> str:
    """The whole address, as it is sent to the customer."""
    return f"{settings.BASE_URL.rstrip('/')}/c/{token_of(link)}/"


def quiet_address(link: CaseLink) -> str:
    """The address that declines further asks (List-Unsubscribe); it opens nothing: programs of strangers see it."""
    return f"{settings.BASE_URL.rstrip('/')}/quiet/{quiet_token_of(link)}/"
