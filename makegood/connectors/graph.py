"""GraphQL over the wire: one question, its data or its error codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from makegood.connectors.errors import Later, Never
from makegood.connectors.wire import Reply


class GraphTrouble(Exception):
    """The server answered without data: ``code`` is the first error's ``extensions.code``, '' where it names none."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def data(reply: Reply) -> Mapping[str, Any]:
    """The data of an answer. Raises GraphTrouble for errors, Later('garbage') for what is no GraphQL answer at all."""
    if errors := reply.get("errors"):
        code = reply.get("errors", 0, "extensions", "code") if isinstance(errors, list) else ""
        raise GraphTrouble(code if isinstance(code, str) else "")
    found = reply.get("data")
    if not isinstance(found, Mapping):
        raise Later("garbage")
    return found


def read(reply: Reply) -> Mapping[str, Any]:
    """The same for a question that changes nothing: Never('not_allowed') where the key is refused, Later for other trouble."""
    try:
        return data(reply)
    except GraphTrouble as trouble:
        if trouble.code in ("FORBIDDEN", "UNAUTHENTICATED"):
            raise Never("not_allowed") from None
        raise Later("broken") from None
