"""The only way a door gets a case or a list of cases (law). What is not yours is not there: 404, never 403."""

from __future__ import annotations

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import NotThere
from makegood.cases.models import Case, CaseLink, Ending
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.people.models import Role, Shop, Team

#: The kind of problem whose cases only some may see, and the skills of teams whose specialists do.
RESTRICTED, SKILLS = "security", ("security",)
_EVERYWHERE = (actors.SYSTEM, Role.MANAGER, Role.ADMIN)
_signer = signing.Signer(salt="makegood.case-link", sep="~")
_quiet = signing.Signer(salt="makegood.quiet-link", sep="~")


def cases_for(actor: Actor) -> QuerySet[Case]:
    """The cases that this actor may see: staff those of the shops that their teams serve, merchants their shops', customers their own."""
    every = Case.objects.all()
    if actor.role in _EVERYWHERE:
        return every
    if actor.role == actors.CUSTOMER:
        return every.filter(customer_id=actor.customer_id or 0)
    if actor.role == Role.MERCHANT:
        return every.filter(shop__merchants=actor.user_id).exclude(kind=RESTRICTED)
    served = shops_served(actor)
    every = every if served is None else every.filter(Q(shop_id__in=served) | Q(owner_id=actor.user_id))
    hidden = hidden_from(actor)
    return every if hidden is None else every.exclude(hidden)


def hidden_from(actor: Actor) -> Q | None:
    """Which cases this person of the desk may not see, whichever shop they serve; None: none.

    A case of fraud or of security is for who owns it, its team, leads, the specialists for security, and those whom one of
    these asked in: to whom it is offered, who does a task of it, who was called into its war room. Managers see everything.
    """
    if actor.role in (*_EVERYWHERE, Role.LEAD) or actor.user_id is None:
        return None
    user = actor.user_id
    if actor.role == Role.SPECIALIST and Team.objects.filter(members=user, skill__in=SKILLS).exists():
        return None
    teams = Team.objects.filter(Q(members=user) | Q(lead=user)).values("pk")
    offers = Q(handovers__state="offered") & (Q(handovers__to=user) | Q(handovers__to_team__in=teams))
    rooms = Q(rooms__members__user=user, rooms__members__left_at=None)
    tasks = Q(promises__to="staff", promises__by=user, promises__state="open")
    few = Case.objects.filter(kind=RESTRICTED)
    # Asked apart: joined with OR they would read every hand-over there ever was.
    asked_in = [Q(pk__in=few.filter(way).values("pk")) for way in (offers, rooms, tasks)]
    mine = Q(owner_id=user) | Q(team_id__in=teams)
    for way in asked_in:
        mine |= way
    return Q(kind=RESTRICTED) & ~mine


def is_restricted(case: Case) -> bool:
    """Whether only some of the desk see this case: :func:`hidden_from`."""
    return case.kind == RESTRICTED


def shops_for(actor: Actor) -> list[int] | None:
    """Ids of the shops whose cases the actor sees and may open: a merchant's own, those that staff serve; None means all."""
    if actor.role in (actors.SYSTEM, Role.MANAGER, Role.ADMIN):
        return None
    if actor.role == Role.MERCHANT:
        return sorted(Shop.objects.filter(merchants=actor.user_id).values_list("pk", flat=True))
    return shops_served(actor)


def shop_for(actor: Actor, code: str) -> Shop:
    """The shop with this code, for a case to be opened there; raises NotThere beside 'shop' when it is not the actor's."""
    seen = shops_for(actor)
    shop = Shop.objects.filter(code=code).first()
    if shop is None or (seen is not None and shop.pk not in seen):
        raise NotThere("no_shop", _("There is no such shop."), field="shop")
    return shop


def shops_served(actor: Actor) -> list[int] | None:
    """Ids of the shops that the actor's teams serve; None means all (a manager, no team, or a team without shops)."""
    if actor.role in _EVERYWHERE:
        return None
    rows = list(
        Team.objects.filter(Q(members=actor.user_id) | Q(lead=actor.user_id))
        .values_list("pk", "shops")
        .distinct()
    )
    shops = {shop for _team, shop in rows}
    return None if not rows or None in shops else sorted(s for s in shops if s is not None)


def case_for(actor: Actor, number: int) -> Case:
    """The case with this number; a merged case's number leads to its survivor. Raises NotThere."""
    case = (
        cases_for(actor)
        .select_related("shop", "customer", "owner", "team", "order")
        .filter(number=number)
        .first()
    )
    if case is None:
        raise NotThere("no_case", _("There is no such case."))
    if case.ended_as == "merged":
        survivor = Ending.objects.values_list("survivor__number", flat=True).get(case=case)
        if survivor:
            return case_for(actor, survivor)
    return case


def whole(case: Case) -> list[int]:
    """The ids of the case and of all that were merged into it.

    Asked by themselves: joined into a condition with OR they make PostgreSQL read whole tables.
    """
    return [case.pk, *Ending.objects.filter(survivor=case).values_list("case_id", flat=True)]


def token_of(link: CaseLink) -> str:
    """What stands in the customer's address: the link's id and our signature. Nothing secret is stored."""
    return _signer.sign(str(link.pk))


def quiet_token_of(link: CaseLink) -> str:
    """What stands in the address that declines further asks; it is no key to the case."""
    return _quiet.sign(str(link.pk))


def case_by_quiet_token(token: str) -> tuple[Case, Actor]:
    """As :func:`case_by_token`, for the address that declines further asks."""
    return _case_by(_quiet, token)


def case_by_token(token: str) -> tuple[Case, Actor]:
    """The case and the customer of a link; raises NotThere when it is forged, expired or revoked (one answer for all three)."""
    return _case_by(_signer, token)


def _case_by(signer: signing.Signer, token: str) -> tuple[Case, Actor]:
    gone = NotThere("link_gone", _("This link is no longer valid. Please ask us for a new one."))
    try:
        link_id = int(signer.unsign(token))
    except (signing.BadSignature, ValueError):
        raise gone from None
    link = (
        CaseLink.objects.select_related(
            "case__shop", "case__customer", "case__owner", "case__team", "case__order"
        )
        .filter(pk=link_id, revoked_at__isnull=True, ends_at__gt=clock.now())
        .first()
    )
    if link is None or (link.shown and link.case.ended_as == "merged"):
        # Whoever typed somebody else's address into a report would read that person's case once the two are merged.
        raise gone
    actor = actors.customer(link.case.customer_id)
    case = link.case
    return (case_for(actor, case.number) if case.ended_as == "merged" else case), actor
