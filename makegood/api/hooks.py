"""Webhooks over the API: made, read, switched, rotated, replayed by a program of a keeper (scope ``webhooks:keep``)."""

import json
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic import StringConstraints as Text

from makegood.api.answers import PROBLEMS, router, strict_query
from makegood.api.idempotency import once
from makegood.api.shapes import Body, Moment, Row
from makegood.api.tokens import acting
from makegood.base.errors import NotThere, Refusal
from makegood.cases import access
from makegood.desk import hooks
from makegood.people.actors import Actor
from makegood.people.models import ApiToken, Shop
from makegood.webhooks.models import Hook, HookCall

KEEP = ApiToken.Scope.HOOKS
KEY: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
            "description": "The same key with the same body is done once. A secret is in the first answer only.",
        }
    ]
}


class HookIn(Body):
    """Without ``shop``: all shops. Without ``kinds``: every event."""

    name: Annotated[str, Text(max_length=80)]
    url: Annotated[str, Text(max_length=2000)]
    shop: Annotated[str, Text(max_length=40, pattern=r"^[-A-Za-z0-9_]+$")] | None = None
    kinds: Annotated[list[Annotated[str, Text(max_length=40)]], Field(max_length=200)] = []


class SwitchIn(Body):
    on: Annotated[bool, Field(strict=True)]


class ReplayIn(Body):
    """Either all events since a moment of the last 30 days, or one call."""

    since: Moment | None = None
    call: Row | None = None


class HookOut(BaseModel):
    """``secret`` only in the answer that made it; ``off``: '', person, gone or failing."""

    id: int
    name: str
    url: str
    shop: str | None
    kinds: list[str]
    off: str
    failures: int
    failing_since: datetime | None
    old_secret_until: datetime | None
    secret: str | None = None


class HookList(BaseModel):
    webhooks: list[HookOut]


class TryOut(BaseModel):
    at: datetime
    status: int | None
    ms: int
    error: str
    answer: str


class CallOut(BaseModel):
    id: int
    webhook_id: str
    kind: str
    number: int | None
    version: int | None
    state: str
    tries: int
    next_try: datetime | None
    attempts: list[TryOut]


class CallPage(BaseModel):
    """``next``: give it as ``before`` to read on; null at the end."""

    calls: list[CallOut]
    next: int | None


class Replayed(BaseModel):
    events: int


class CallFilters(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Annotated[str, Text(pattern="^(waiting|sent|dead)$")] | None = None
    before: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


@router.get("/webhooks", response={200: HookList, **PROBLEMS}, summary="List webhooks")
def list_hooks(request: HttpRequest) -> Any:
    """Every endpoint with its state; never a secret."""
    return {"webhooks": [told(hook) for hook in hooks.every(acting(request, KEEP))]}


@router.post("/webhooks", response={201: HookOut, **PROBLEMS}, summary="Make a webhook", openapi_extra=KEY)
def make_hook(request: HttpRequest, body: HookIn) -> HttpResponse:
    """A new endpoint. Its secret (``whsec_…``) is in this answer and in no other."""
    by = acting(request, KEEP)
    secrets: list[str] = []

    def work() -> dict[str, Any]:
        hook, secret = hooks.make(
            by=by, name=body.name, url=body.url, shop=shop_of(by, body.shop), kinds=body.kinds
        )
        secrets.append(secret)
        return plain(told(hook))

    return with_secret(once(request, work, status=201), secrets)


@router.get("/webhooks/{int:hook_id}", response={200: HookOut, **PROBLEMS}, summary="Read a webhook")
def read_hook(request: HttpRequest, hook_id: int) -> Any:
    return told(hooks.one(hook_id, acting(request, KEEP)))


@router.post(
    "/webhooks/{int:hook_id}/rotate",
    response={200: HookOut, **PROBLEMS},
    summary="New secret",
    openapi_extra=KEY,
)
def rotate_hook(request: HttpRequest, hook_id: int, body: Body = Body()) -> HttpResponse:  # noqa: B008
    """A new secret, in this answer only; for 24 hours both sign."""
    by = acting(request, KEEP)
    secrets: list[str] = []

    def work() -> dict[str, Any]:
        secrets.append(hooks.rotate(hook_id, by=by))
        return plain(told(hooks.one(hook_id, by)))

    return with_secret(once(request, work, status=200), secrets)


@router.post(
    "/webhooks/{int:hook_id}/switch",
    response={200: HookOut, **PROBLEMS},
    summary="Switch on or off",
    openapi_extra=KEY,
)
def switch_hook(request: HttpRequest, hook_id: int, body: SwitchIn) -> HttpResponse:
    """Off: nothing more is sent, and what waits stays."""
    by = acting(request, KEEP)
    return once(request, lambda: plain(told(hooks.switch(hook_id, by=by, on=body.on))), status=200)


@router.post(
    "/webhooks/{int:hook_id}/replay",
    response={200: Replayed, **PROBLEMS},
    summary="Send again",
    openapi_extra=KEY,
)
def replay_hook(request: HttpRequest, hook_id: int, body: ReplayIn) -> HttpResponse:
    """Put events on their way again, each with the webhook-id that it had."""
    by = acting(request, KEEP)

    def work() -> dict[str, Any]:
        if (body.since is None) == (body.call is None):
            raise Refusal("one_of", hooks.ONE_OF, field="since")
        if body.call is not None:
            hooks.once_more(hook_id, body.call, by=by)
            return {"events": 1}
        assert body.since is not None
        return {"events": hooks.replay(hook_id, by=by, since=body.since)}

    return once(request, work, status=200)


@router.get("/webhooks/{int:hook_id}/calls", response={200: CallPage, **PROBLEMS}, summary="What was sent")
def list_calls(request: HttpRequest, hook_id: int, filters: Annotated[CallFilters, Query()]) -> Any:
    """The newest first, each with its attempts: status, milliseconds, the first 1,000 bytes of the answer."""
    hook = hooks.one(hook_id, acting(request, KEEP))
    strict_query(request, CallFilters)
    found = HookCall.objects.filter(hook=hook).select_related("event__case").prefetch_related("attempts")
    if filters.state:
        found = found.filter(state=filters.state)
    if filters.before:
        found = found.filter(pk__lt=filters.before)
    page = list(found.order_by("-id")[: filters.limit + 1])
    more, page = len(page) > filters.limit, page[: filters.limit]
    return {"calls": [told_call(call) for call in page], "next": page[-1].pk if more else None}


def shop_of(by: Actor, code: str | None) -> Shop | None:
    if code is None:
        return None
    try:
        return access.shop_for(by, code)
    except NotThere as error:
        raise NotThere(error.code, error.reason, field="shop") from None


def told(hook: Hook) -> dict[str, Any]:
    return {
        "id": hook.pk,
        "name": hook.name,
        "url": hook.url,
        "shop": hook.shop.code if hook.shop else None,
        "kinds": hook.kinds,
        "off": hook.off,
        "failures": hook.failures,
        "failing_since": hook.failing_since,
        "old_secret_until": hook.old_until,
        "secret": None,
    }


def told_call(call: HookCall) -> dict[str, Any]:
    event = call.event
    return {
        "id": call.pk,
        "webhook_id": f"msg_{call.key.hex}",
        "kind": event.kind if event else "test",
        "number": event.case.number if event else None,
        "version": event.seq if event else None,
        "state": call.state,
        "tries": call.tries,
        "next_try": call.look_at if call.state == HookCall.State.WAITING else None,
        "attempts": sorted(
            (
                {"at": one.at, "status": one.status, "ms": one.ms, "error": one.error, "answer": one.answer}
                for one in call.attempts.all()
            ),
            key=lambda one: one["at"],
        ),
    }


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """Moments as text: the answer under a key is stored as JSON."""
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in body.items()}


def with_secret(response: HttpResponse, secrets: list[str]) -> HttpResponse:
    """Put the secret into the answer, after the answer was stored under its key: what is stored must not hold it."""
    if secrets:
        response.content = json.dumps({**json.loads(response.content), "secret": secrets[0]}).encode()
    return response
