"""What every route answers with: the problems that may come, and the receipt of a verb."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import BaseModel

from makegood.api import sheet
from makegood.api.out import Problem
from makegood.api.problems import DoorError
from makegood.cases import links
from makegood.cases.models import Case, CaseEvent, CaseLink
from makegood.desk.verb import FOLLOWERS

#: One router for reading and working: ninja finds one view per address, whatever its methods.
router = Router()
#: Status -> shape, for the schema of every route.
PROBLEMS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422}): Problem}


def strict_query(request: HttpRequest, shape: type[BaseModel]) -> None:
    """Refuse a query parameter that the shape does not know: a mistyped filter must not show the whole list."""
    for name in request.GET:
        if name not in shape.model_fields:
            raise DoorError(422, "extra_forbidden", _("There is no such field."), field=name[:80])


def receipt(event: CaseEvent) -> dict[str, Any]:
    """What a verb did. Must be called in the verb's transaction: the version may not run ahead of what the caller read."""
    body = {"number": event.case.number, "version": version(event), "event": sheet.told(event)}
    if event.kind == "link_shared":
        body["address"] = links.address(CaseLink.objects.get(pk=event.data["link"]))
    return body


def version(event: CaseEvent) -> int:
    """The case's version after the event and what followed from it."""
    if event.kind not in FOLLOWERS:
        return event.seq
    return Case.objects.values_list("version", flat=True).get(pk=event.case_id)
