"""Writing over the API: opening a case, and one route for each verb of the table."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from makegood.api import out, shapes
from makegood.api.answers import PROBLEMS, receipt, router
from makegood.api.idempotency import once
from makegood.api.tokens import acting, shop_of
from makegood.api.verbs import VERBS, Verb, case_of, seen_version
from makegood.desk.opening import Report, open_case
from makegood.people import roles
from makegood.people.models import ApiToken

OPEN, WORK = ApiToken.Scope.OPEN, ApiToken.Scope.WORK
HEADERS: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
            "description": "The same key with the same body gets the same answer, and the deed is done once.",
        }
    ]
}
IF_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"type": "string", "pattern": '^("[0-9]{1,9}"|\\*)$'},
    "description": "The version that you have read, instead of ``seen`` in the body.",
}


@router.post("/cases", response={201: out.Receipt, **PROBLEMS}, summary="Open a case", openapi_extra=HEADERS)
def open_one(request: HttpRequest, body: shapes.Open) -> HttpResponse:
    """Case, first message, urgency with its evidence, first promised word, link and letter in one act."""
    actor = acting(request, OPEN)
    roles.check(actor, "open")
    shop = shop_of(actor, body.shop)
    report = Report(
        text=body.text,
        subject=body.subject,
        customer_name=body.customer.name,
        customer_email=body.customer.email,
        customer_phone=body.customer.phone,
        language=body.language or "",
        order_number=body.order_number,
        type=body.type,
        asked_remedy=body.asked_remedy,
        impact=body.impact.impact(),
        channel=body.channel,
        happened_at=body.happened_at,
    )
    return once(request, lambda: receipt(open_case(shop, report, by=actor)), status=201)


def route(verb: Verb) -> None:
    """Add the route of one verb."""
    shape = verb.body

    def handle(request: HttpRequest, number: int, body: shape) -> HttpResponse:  # type: ignore[valid-type]
        actor = acting(request, WORK)
        roles.check(actor, verb.right)
        case = case_of(actor, number)
        wanted = {"seen": seen_version(body, request.headers.get("If-Match"))} if verb.collides else {}

        def do() -> dict[str, Any]:
            with transaction.atomic():
                return receipt(verb.run(case, by=actor, **verb.fields(body, actor), **wanted))

        return once(request, do, status=200)

    if verb.body is shapes.Body:
        handle = without_body(handle)
    handle.__name__ = verb.name
    extra = {"parameters": [*HEADERS["parameters"], IF_MATCH]} if verb.collides else HEADERS
    router.post(
        f"/cases/{{int:number}}/{verb.name}",
        response={200: out.Receipt, **PROBLEMS},
        operation_id=verb.name,
        summary=verb.name.replace("_", " ").capitalize(),
        description=(verb.run.__doc__ or "").strip(),
        openapi_extra={"parameters": [dict(p) for p in extra["parameters"]]},
    )(handle)


def without_body(handle: Any) -> Any:
    """The handler of a verb that needs nothing said: a body may come, and must be empty or ``{}``."""

    def bare(request: HttpRequest, number: int, body: shapes.Body = shapes.Body()) -> HttpResponse:  # noqa: B008
        answer: HttpResponse = handle(request, number, body)
        return answer

    return bare


for each in VERBS:
    route(each)
