"""The customer's link: a new one to hand over, or all of them revoked."""

from __future__ import annotations

from makegood.base import clock
from makegood.cases import links, pen
from makegood.cases.models import Case, CaseEvent
from makegood.desk.verb import verb
from makegood.people.actors import Actor


@verb("share_link")
def share_link(case: Case, *, by: Actor) -> CaseEvent:
    """Make a new link for the customer; ``event.data['link']`` is its row, ``links.address`` its address."""
    case = pen.hold(case.pk)
    return pen.write(case, "link_shared", by=by, data={"link": links.make(case).pk})


@verb("revoke_link")
def revoke_links(case: Case, *, by: Actor) -> CaseEvent:
    """Revoke every link of the case: it went to a wrong hand. Letters from now on carry a new one."""
    case = pen.hold(case.pk)
    case.links.filter(revoked_at__isnull=True).update(revoked_at=clock.now())
    return pen.write(case, "link_revoked", by=by)
