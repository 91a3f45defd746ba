"""Reading over the API: the list with its filters, the sheet, the history, the taxonomy, oneself."""

from typing import Annotated, Any, Literal

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from ninja import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic import StringConstraints as Text

from makegood.api import out, paging, sheet
from makegood.api.answers import PROBLEMS, router, strict_query
from makegood.api.shapes import Moment
from makegood.api.tokens import acting, caller_of
from makegood.api.verbs import case_of
from makegood.base.languages import Text3
from makegood.cases import access
from makegood.cases.models import CaseEvent
from makegood.cases.states import OPEN_STATUSES
from makegood.packs import names, taxonomy
from makegood.people.models import ApiToken, Shop, Team, User

READ = ApiToken.Scope.READ


class Filters(BaseModel):
    """All together (and). ``status=open`` is everything that has not ended."""

    model_config = ConfigDict(extra="forbid")

    status: (
        Literal["open", "reported", "triaged", "working", "waiting", "fixed", "verified", "told", "ended"]
        | None
    ) = None
    shop: Annotated[str, Text(max_length=40, pattern=r"^[-A-Za-z0-9_]+$")] | None = None
    owner: Literal["me", "nobody"] | None = None
    type: Annotated[str, Text(max_length=40, pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    urgency_min: Annotated[int, Field(ge=1, le=5)] | None = None
    updated_since: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Text(max_length=200)] | None = None

    def mark(self) -> str:
        """What a cursor is bound to: every filter, but neither the page's length nor its place."""
        return self.model_dump_json(exclude={"limit", "cursor"})


@router.get("/cases", response={200: out.CasePage, **PROBLEMS}, summary="List cases, newest first")
def list_cases(request: HttpRequest, filters: Annotated[Filters, Query()]) -> Any:
    """Keyset paging by the case's own order: nothing is skipped or doubled while cases are added."""
    actor = acting(request, READ)
    strict_query(request, Filters)
    found = access.cases_for(actor)
    if filters.status:
        found = found.filter(status__in=OPEN_STATUSES if filters.status == "open" else [filters.status])
    if filters.shop:
        found = found.filter(shop__code=filters.shop)
    if filters.owner:
        found = found.filter(owner_id=actor.user_id if filters.owner == "me" else None)
    if filters.type:
        found = found.filter(type=filters.type)
    if filters.urgency_min:
        found = found.filter(urgency__gte=filters.urgency_min)
    if filters.updated_since:
        last = CaseEvent.objects.filter(
            case=OuterRef("pk"), seq=OuterRef("version"), written_at__gte=filters.updated_since
        )
        found = found.filter(Exists(last))
    if filters.cursor:
        found = found.filter(pk__lt=paging.after(filters.cursor, filters.mark()))
    page = list(sheet.newest(found)[: filters.limit + 1])
    more, page = len(page) > filters.limit, page[: filters.limit]
    return {
        "cases": [sheet.line(case) for case in page],
        "next": paging.cursor(page[-1].pk, filters.mark()) if more else None,
    }


@router.get("/cases/{int:number}", response={200: out.Sheet, **PROBLEMS}, summary="Read a case")
def read_case(request: HttpRequest, number: int) -> Any:
    """The whole sheet. The number of a merged case leads to its survivor: read ``number`` in the answer."""
    actor = acting(request, READ)
    return sheet.whole(case_of(actor, number), actor)


@router.get(
    "/cases/{int:number}/events", response={200: out.EventPage, **PROBLEMS}, summary="Read its history"
)
def read_events(request: HttpRequest, number: int) -> Any:
    """What happened, oldest first: codes and data, no sentences."""
    actor = acting(request, READ)
    case = case_of(actor, number)
    return {"number": case.number, "version": case.version, "events": sheet.history(case, actor)}


@router.get(
    "/types", response={200: out.Taxonomy, **PROBLEMS}, summary="The vocabularies, in three languages"
)
def read_types(request: HttpRequest) -> Any:
    """Every code that a verb takes, with its name in Korean, Chinese and English."""
    vocabularies = {
        plural: [{"code": code, "name": words(name)} for code, name in names(one).items()]
        for plural, one in _VOCABULARIES.items()
    }
    types = [
        {
            "code": t.code,
            "name": words(t.name),
            "says": words(t.says),
            "family": t.family,
            "kind": t.kind,
            "responsibility": t.responsibility,
            "urgency": t.urgency,
        }
        for t in taxonomy().types.values()
    ]
    return {"types": types, **vocabularies}


_VOCABULARIES = {
    "families": "family",
    "kinds": "kind",
    "responsibilities": "responsibility",
    "remedies": "remedy",
    "sources": "source",
    "proofs": "proof",
}


def words(text: Text3) -> dict[str, str]:
    return {"ko": text.ko, "zh": text.zh, "en": text.en}


@router.get("/me", response={200: out.Me, **PROBLEMS}, summary="Who this token acts as")
def read_me(request: HttpRequest) -> Any:
    """The user behind the token, its scopes, and the shops whose cases it sees."""
    caller = caller_of(request)
    user = User.objects.get(tokens=caller.token_id)
    seen = access.shops_for(caller.actor)
    return {
        "id": user.pk,
        "name": user.name,
        "role": user.role,
        "language": user.language,
        "scopes": sorted(caller.scopes),
        "teams": list(Team.objects.filter(members=user).order_by("name").values_list("name", flat=True)),
        "shops": None
        if seen is None
        else list(Shop.objects.filter(pk__in=seen).order_by("code").values_list("code", flat=True)),
    }
