"""What a webhook says: which case, what happened, in codes. Thin: whoever wants more reads the case over the API.

The shape is that of Standard Webhooks (type, timestamp, data), with the attributes of CloudEvents 1.0 beside it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.conf import settings

from makegood.cases.models import CaseEvent

PREFIX = "makegood.case."
TEST = "makegood.test"
#: Keys of an event's data that leave the house: codes, levels, moments. Ids of people and rows, order numbers and lists stay.
SAID = (
    "type", "second_type", "kind", "responsibility", "asked_remedy", "level", "from_level", "to_level", "what", "until",
    "answer", "held", "remedy", "proof", "waiting_for", "rung", "reached", "nth", "rule", "field", "role", "to",
)  # fmt: skip
_CODE = re.compile(r"[A-Za-z0-9_.:+\-]{1,60}")


def body(event: CaseEvent) -> bytes:
    """The same bytes at every try: an event stands for ever, and so do its case's number and shop."""
    case = event.case
    said = {key: event.data[key] for key in SAID if _is_code(event.data.get(key))}
    return _json(
        PREFIX + event.kind,
        f"event-{event.pk}",
        event.true_at.isoformat(),
        {
            "number": case.number,
            "shop": case.shop.code,
            "version": event.seq,
            "by": event.actor_role,
            "door": event.door,
            "said": said,
        },
        subject=str(case.number),
    )


def test_body(call_id: int, at: str) -> bytes:
    """The trial that a keeper asked for."""
    return _json(TEST, f"test-{call_id}", at, {})


def _json(kind: str, key: str, at: str, data: dict[str, Any], **more: str) -> bytes:
    whole = {
        "specversion": "1.0",
        "id": key,
        "source": settings.BASE_URL.rstrip("/"),
        "type": kind,
        "time": at,
        "timestamp": at,
        **more,
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _is_code(value: Any) -> bool:
    return isinstance(value, (bool, int)) or (isinstance(value, str) and bool(_CODE.fullmatch(value)))
