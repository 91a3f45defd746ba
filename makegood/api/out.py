"""What the API gives: shapes for the schema. Codes stay codes; words stay in the language in which they were said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field


class Problem(BaseModel):
    """RFC 9457, with our code, the field that it stands beside, and for 409 the version where the case stands."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str
    errors: list[dict[str, str]] | None = None
    seen: int | None = None
    now_at: int | None = None


class EventOut(BaseModel):
    seq: int
    kind: str
    data: dict[str, Any]
    true_at: datetime
    written_at: datetime
    actor_role: str
    actor: int | None
    door: str


class Receipt(BaseModel):
    """What a verb did. ``version`` is what the next ``seen`` should be; ``address`` only for share_link."""

    number: int
    version: int
    event: EventOut
    address: str | None = None


class EventPage(BaseModel):
    number: int
    version: int
    events: list[EventOut]


class Person(BaseModel):
    id: int
    name: str


class CaseLine(BaseModel):
    number: int
    version: int
    status: str
    ended_as: str
    type: str
    subject: str
    urgency: int
    shop: str
    customer: str
    language: str
    owner: Person | None
    team: Person | None
    order_number: str
    snoozed_until: datetime | None
    waiting_for: str
    round: int
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None


class CasePage(BaseModel):
    """``next`` is the cursor of the following page; null at the end."""

    cases: list[CaseLine]
    next: str | None


class Sheet(CaseLine):
    """The whole case. Lists that are not for the reader's role are null, never empty by pretence."""

    kind: str
    second_type: str
    responsibility: str
    asked_remedy: str
    impact: dict[str, Any]
    urgency_floor: int
    contact: dict[str, str]
    touched_at: datetime | None
    customer_wrote_at: datetime | None
    parent: int | None
    children: list[int]
    related: list[int]
    messages: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    blockers: list[dict[str, str]] | None
    facts: list[dict[str, Any]] | None
    evidence: list[dict[str, Any]] | None
    lowerings: list[dict[str, Any]] | None
    ticks: list[dict[str, Any]] | None
    fixes: list[dict[str, Any]] | None
    verifications: list[dict[str, Any]] | None
    tellings: list[dict[str, Any]]
    confirmations: list[dict[str, Any]]


class Words3(BaseModel):
    ko: str
    zh: str
    en: str


class TypeOut(BaseModel):
    code: str
    name: Words3
    says: Words3
    family: str
    kind: str
    responsibility: str
    urgency: int


class Term(BaseModel):
    code: str
    name: Words3


class Taxonomy(BaseModel):
    types: list[TypeOut]
    families: list[Term]
    kinds: list[Term]
    responsibilities: list[Term]
    remedies: list[Term]
    sources: list[Term]
    proofs: list[Term]


class Me(BaseModel):
    id: int
    name: str
    role: str
    language: str
    scopes: list[str]
    teams: list[str]
    shops: list[str] | None = Field(description="Codes of the shops whose cases you see; null means all.")
