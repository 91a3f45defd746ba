"""What the API takes: the fields of each verb, strict about names and types. The rules themselves stand in the desk."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt
from pydantic import StringConstraints as Text

from makegood.cases.urgency import Impact
from makegood.desk import saying
from makegood.desk.remedy_rows import Wish

Line = Annotated[str, Text(max_length=400)]
Words = Annotated[str, Text(max_length=200_000)]
Code = Annotated[str, Text(max_length=60, pattern=r"^[A-Za-z0-9._-]*$")]
Row = Annotated[StrictInt, Field(ge=1, le=2**63 - 1)]
Number = Annotated[StrictInt, Field(ge=1, le=2**63 - 1, description="A case number.")]
Yes = Annotated[bool, Field(strict=True)]
Language = Literal["ko", "zh-hans", "en"]


def _written(value: Any) -> Any:
    """A moment is written out (ISO 8601 with its zone): a bare number could be seconds or milliseconds."""
    if not isinstance(value, str) or value.strip().lstrip("-+").replace(".", "").isdigit():
        raise ValueError("not a written moment")
    return value


def _our_age(value: datetime) -> datetime:
    """In UTC and of our age: PostgreSQL has years before 1 and refuses zones beyond 16 hours, Python is the other way round."""
    if not 1971 <= value.year <= 2999:
        raise ValueError("out of range")
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(_our_age)]


class Body(BaseModel):
    """Fields of one verb; :meth:`fields` gives them by the names of the desk."""

    model_config = ConfigDict(extra="forbid")

    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields if name != "seen"}


class Seen(Body):
    """A verb that collides: ``seen`` is the version that the caller has read."""

    seen: Annotated[StrictInt, Field(ge=0)] | None = Field(
        default=None,
        description="The version that you have read; null accepts any. Needed here or as If-Match.",
    )


class ImpactIn(Body):
    money_lost: Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)] | None = None
    currency: Annotated[str, Text(pattern=r"^([A-Z]{3})?$")] = ""
    orders_blocked: Annotated[StrictInt, Field(ge=0, le=1_000_000)] = 0
    campaign_at_risk: Yes = False

    def impact(self) -> Impact:
        return Impact(self.money_lost, self.currency, self.orders_blocked, self.campaign_at_risk)


class CustomerIn(Body):
    name: Line = ""
    email: Line = ""
    phone: Line = ""


class Open(Body):
    """A problem as it was reported. ``text`` is in the customer's own words."""

    shop: Annotated[str, Text(max_length=40, pattern=r"^[-A-Za-z0-9_]+$")] = Field(
        description="The shop's code."
    )
    text: Words
    customer: CustomerIn = CustomerIn()
    subject: Line = ""
    order_number: Line = ""
    type: Code = ""
    asked_remedy: Code = ""
    impact: ImpactIn = ImpactIn()
    language: Language | None = None
    happened_at: Moment | None = None
    channel: Annotated[str, Text(max_length=12, pattern=r"^[a-z_]*$")] = ""


class Said(Body):
    text: Words


class GivenTime(Body):
    what: Code = Field(description="decision, remedy, call_back or other.")
    due_at: Moment
    words: Words = Field(description="The words of the text that give this time.")


class Tell(Seen):
    """Sent at once: the ten seconds in which an answer can be taken back are the page's alone."""

    text: Words
    next_word_at: Moment | None = Field(description="When the customer will hear from you next.")
    promises: Annotated[list[GivenTime], Field(max_length=20)] = Field(
        default=[], description="Times that the text promises, each to be kept."
    )
    declined: Annotated[list[Line], Field(max_length=20)] = Field(
        default=[], description="Words of the text that name a time and are no promise."
    )
    justified: dict[Code, Words] = Field(
        default={}, description="Why it may go out as it is, by the code of the rule that asks for a reason."
    )

    def fields(self) -> dict[str, Any]:
        times = [saying.GivenTime(**time.fields()) for time in self.promises or ()]
        return {**super().fields(), "promises": times}


class Reply(Tell):
    decides: Yes = Field(default=False, description="This answer tells our decision, and keeps that promise.")


class Promise(Seen):
    what: Code = Field(description="decision, remedy, call_back or other.")
    due_at: Moment | None
    words: Words
    to: Code = Field(default="customer", description="customer, merchant, staff or authority.")


class KeepPromise(Seen):
    promise: Row
    proof: Words

    def fields(self) -> dict[str, Any]:
        return {"promise_id": self.promise, "proof": self.proof}


class WithdrawPromise(Seen):
    promise: Row
    reason: Words

    def fields(self) -> dict[str, Any]:
        return {"promise_id": self.promise, "reason": self.reason}


class RecordCall(Seen):
    words: Words
    reached: Yes
    next_word_at: Moment | None = Field(default=None, description="Needed when the customer was reached.")


class Snooze(Seen):
    until: Moment | None
    reason: Words
    next_word_at: Moment | None = Field(
        default=None, description="Needed when the promised next word falls due before 'until'."
    )


class Triage(Seen):
    type: Code
    second_type: Code = ""
    kind: Code = ""
    responsibility: Code = ""
    asked_remedy: Code = ""
    order_number: Line = ""
    impact: ImpactIn | None = None
    suggested: Annotated[Code, Text(max_length=40)] = ""


class Assign(Seen):
    owner: Line | None = Field(default=None, description="Email of the new owner.")
    team: Line | None = Field(default=None, description="Name of the new team.")


class Expedite(Seen):
    who: Line = Field(description="Email of who does it.")
    what: Words
    due_at: Moment


class OpenRoom(Body):
    lead: Line | None = Field(default=None, description="Email of who leads the room; else you do.")
    background: Words = ""
    ask: Words = ""


class CommonIn(Body):
    shop: Line | None = Field(default=None, description="Code of the shop.")
    product: Line | None = None
    carrier: Line | None = None
    method: Line | None = None
    type: Line | None = None
    words: Line | None = None


class OpenIncident(Body):
    words: Words = Field(description="The fault, in words.")
    common: CommonIn | None = Field(default=None, description="What its cases share.")


class JoinIncident(Body):
    incident: Annotated[StrictInt, Field(ge=1, lt=2**63)]


class LeaveIncident(Body):
    reason: Words


class HandOver(Seen):
    team: Line = Field(description="Name of the receiving team.")
    to: Line | None = Field(default=None, description="Email of the person there; else whoever is on duty.")
    customer_asks: Words
    tried: Words = Field(description="What was tried so far.")
    asked: Words = Field(description="What is asked of the receiver.")
    by_when: Moment


class AcceptHandover(Seen):
    restated: Words = Field(description="In your own words: what is asked of you.")
    next_word_at: Moment | None = Field(default=None, description="The word that the customer was promised.")


class RefuseHandover(Seen):
    reason: Words


class Wait(Seen):
    waiting_for: Code = Field(description="Whom the case waits for; empty to go on.")


class NoteFact(Body):
    text: Words
    source: Code
    happened_at: Moment | None = None
    detail: Line = ""


class StrikeFact(Body):
    fact: Row
    because: Words

    def fields(self) -> dict[str, Any]:
        return {"fact_id": self.fact, "because": self.because}


class Tick(Body):
    item: Line
    done: Yes = True
    answer: Words = ""


class RaiseUrgency(Body):
    level: StrictInt
    reason: Words


class LowerUrgency(Seen):
    level: StrictInt
    reason: Words
    evidence: Words


class SendAgain(Seen):
    delivery: Row = Field(description="The letter that failed or came back: `letter.id` of its message.")
    to: Line = Field("", description="The corrected address; empty: the one that the customer has.")

    def fields(self) -> dict[str, Any]:
        return {"delivery_id": self.delivery, "to": self.to}


class Fix(Seen):
    done: Words
    cause: Words
    remedy: Code = ""


class Verify(Seen):
    proof: Code
    what_was_seen: Words
    reference: Line = ""


class FindWanting(Seen):
    what_was_seen: Words


class Ask(Seen):
    next_word_at: Moment | None = Field(description="When the customer will hear from you next.")
    channel: Code = "letter"
    note: Words = ""


class RecordConfirmation(Seen):
    answer: Code
    words: Words
    channel: Code


class Reopen(Body):
    why: Words


class EndDisagreed(Seen):
    text: Words
    outside_route: Words


class Withdraw(Seen):
    words: Words


class StartClock(Seen):
    rule: Code = Field(description="Code of the rule, such as kr.refund.")
    trigger_at: Moment = Field(description="When the event of the rule happened.")
    evidence: Words


class CorrectClock(Seen):
    promise: Row
    trigger_at: Moment
    evidence: Words

    def fields(self) -> dict[str, Any]:
        return {"promise_id": self.promise, "trigger_at": self.trigger_at, "evidence": self.evidence}


class MeetClock(Seen):
    promise: Row
    what_was_done: Words
    done_at: Moment | None = Field(default=None, description="When it was done; null: now.")

    def fields(self) -> dict[str, Any]:
        return {"promise_id": self.promise, "what_was_done": self.what_was_done, "done_at": self.done_at}


class Merge(Seen):
    into: Number


class Split(Seen):
    messages: Annotated[list[Row], Field(min_length=1, max_length=1000)]
    subject: Line

    def fields(self) -> dict[str, Any]:
        return {"message_ids": self.messages, "subject": self.subject}


class Link(Seen):
    other: Number
    relation: Code = Field(description="child, parent or related.")


class Unlink(Seen):
    other: Number


class LineIn(Body):
    """So many of one line of the order, by the shop's own ref of it."""

    ref: Annotated[str, Text(min_length=1, max_length=120)]
    quantity: Annotated[int, Field(ge=1, le=100_000)]


class WishIn(Body):
    """One thing to give: ``amount`` in major units of the payment's currency, where it is about money.

    With ``lines`` it is about these alone; a refund of them without an amount is what they cost.
    """

    kind: Code
    amount: Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=3)] | None = None
    payment: Row | None = None
    lines: Annotated[list[LineIn], Field(max_length=50)] = []

    def wish(self) -> Wish:
        parts = tuple((line.ref, line.quantity) for line in self.lines)
        return Wish(self.kind, self.amount, self.payment, parts)


class OfferRemedy(Seen):
    options: Annotated[list[WishIn], Field(min_length=1, max_length=6)]
    until: Moment
    words: Words = ""
    deviation: Words = ""

    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "options": [option.wish() for option in self.options]}


class DecideRemedy(Seen):
    wish: WishIn
    reason: Code
    deviation: Words = ""
    agreed: Words = ""
    other_route: Words = ""

    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "wish": self.wish.wish()}


class _OfRemedy(Seen):
    remedy: Row

    def fields(self) -> dict[str, Any]:
        found = super().fields()
        found["remedy_id"] = found.pop(
            "remedy"
        )  # popped first: within one dict display the old name would stay
        return found


class CarryOut(_OfRemedy):
    done_by_hand: Line = ""


class WithdrawRemedy(_OfRemedy):
    reason: Words


class ApproveRemedy(_OfRemedy):
    words: Words = ""


class RefuseApproval(_OfRemedy):
    reason: Words


class SettleByHand(Seen):
    step: Row
    happened: Yes
    record: Line

    def fields(self) -> dict[str, Any]:
        return {"step_id": self.step, "happened": self.happened, "record": self.record}
