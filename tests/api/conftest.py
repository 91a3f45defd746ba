"""A caller of the API: a token of one of the cast, and short words for what tests ask of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from makegood.api import tokens
from makegood.people.models import ApiToken, User

ALL = ["cases:read", "cases:open", "cases:work"]


class Caller:
    """Speaks JSON to /api/v1 with one token."""

    def __init__(self, user: User, scopes: list[str]) -> None:
        self.token, self.secret = ApiToken.issue(user, "test", scopes)
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self.client.get(f"/api/v1{path}", headers=self._headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        data = body if isinstance(body, (bytes, str)) else json.dumps({} if body is None else body)
        return self.client.post(
            f"/api/v1{path}", data, content_type="application/json", headers=self._headers(headers)
        )

    def verb(self, number: int, name: str, body: Any = None, **headers: str) -> HttpResponse:
        return self.post(f"/cases/{number}/{name}", body, **headers)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.secret}", **named}


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> None:
    tokens.forget()


@pytest.fixture
def call() -> Callable[..., Caller]:
    return lambda user, scopes=ALL: Caller(user, scopes)


@pytest.fixture
def problem() -> Callable[..., dict[str, Any]]:
    """The answer as a problem with this status (and code), or the test fails."""

    def check(response: HttpResponse, status: int, code: str = "") -> dict[str, Any]:
        assert response.status_code == status, response.content
        assert response["Content-Type"] == "application/problem+json"
        told: dict[str, Any] = json.loads(response.content)
        assert {"type", "title", "status", "detail", "code", "field"} <= told.keys()
        assert told["status"] == status and told["title"] and told["detail"]
        assert not code or told["code"] == code, told
        return told

    return check
