"""The API at /api/v1/: its routes, its schema, and the answers to everything that goes wrong."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from makegood.api import hooks as hooks
from makegood.api import lists as lists
from makegood.api import problems
from makegood.api import work as work
from makegood.api.answers import router
from makegood.api.parser import StrictParser
from makegood.api.problems import DoorError, problem
from makegood.api.tokens import Bearer
from makegood.base.errors import DeskError

log = logging.getLogger(__name__)


class Api(NinjaAPI):
    """Ninja's, with problems documented as the media type that they have."""

    def get_openapi_schema(self, **kwargs: Any) -> Any:
        schema = super().get_openapi_schema(**kwargs)
        for methods in schema["paths"].values():
            for operation in methods.values():
                for status, response in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in response.get("content", {}):
                        response["content"] = {
                            "application/problem+json": response["content"]["application/json"]
                        }
        return schema


api = Api(
    title="Makegood",
    version="1",
    description="From the moment a transaction goes wrong to the moment the customer confirms that it was made good.",
    urls_namespace="api-1",
    auth=Bearer(),
    parser=StrictParser(),
)
api.add_router("", router)


def unread(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja wraps what the parser raised: the cause says what it was."""
    if isinstance(error.__cause__, DoorError):
        return problems.of_door(request, error.__cause__)
    return problem(
        error.status_code, "unreadable", problems.TITLES.get(error.status_code, problems.TITLES[400])
    )


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """Our own mistake: written down for us, told without its inside."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, "mistake", _("Something went wrong on our side. It was written down."))


def answer(request: HttpRequest, error: Any) -> HttpResponse:
    """Any exception of a request as a problem."""
    match error:
        case DeskError():
            return problems.of_desk(request, error)
        case DoorError():
            return problems.of_door(request, error)
        case ValidationError():
            return problems.of_shape(request, error)
        case AuthenticationError():
            return problem(401, "no_token", _("Send a token that is valid: Authorization: Bearer mg_…"))
        case HttpError():
            return unread(request, error)
        case Http404():
            return problem(404, "no_address", _("There is nothing at this address."))
        case RequestDataTooBig():
            return problem(413, "too_large", problems.TITLES[413])
        case SuspiciousOperation() | UnreadablePostError():
            return problem(400, "unreadable", problems.TITLES[400])
    return unexpected(request, error)


for kind in (Exception, DeskError, DoorError, ValidationError, AuthenticationError, HttpError, Http404):
    api.add_exception_handler(kind, answer)
