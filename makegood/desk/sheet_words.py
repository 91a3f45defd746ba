"""The conversation as the sheet draws it: whose words, for whom, what was found in them, and whether they arrived."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.utils.translation import gettext

from makegood.cases.models import Case, UrgencyEvidence
from makegood.conversations.messages import PICTURES, readable_by
from makegood.conversations.models import Attachment, Delivery, Letter, Message
from makegood.desk.delivering import MARKED
from makegood.desk.letter_told import left_out
from makegood.desk.marking import Piece, Span, cut
from makegood.people.actors import Actor

NOT_ARRIVED = (Delivery.State.FAILED, Delivery.State.BOUNCED)


@dataclass(frozen=True)
class File:
    """An attachment; ``inline`` when it may be shown as a picture."""

    attachment: Attachment
    inline: bool


@dataclass(frozen=True)
class Said:
    """One message. ``side`` is customer, staff, note, merchant or to_merchant."""

    message: Message
    side: str
    pieces: tuple[Piece, ...]
    files: list[File]
    letter: Delivery | None
    from_case: int | None
    came: Letter | None = None

    @property
    def left_out(self) -> list[str]:
        """What of the letter stands in its source only."""
        return left_out(self.came) if self.came else []

    @property
    def not_arrived(self) -> bool:
        """Whether the customer did not get these words by letter: it failed, or came back."""
        return self.letter is not None and self.letter.state in NOT_ARRIVED

    @property
    def why_not(self) -> str:
        """What the mail server said of it, as the reader may see it."""
        if self.letter is None or self.letter.error != MARKED:
            return self.letter.error if self.letter else ""
        return gettext("Earlier letters to this address came back, so it was not tried.")

    @property
    def may_be_split(self) -> bool:
        """Whether it may be moved into a case of its own: the customer's words on this very case."""
        return self.side == "customer" and self.from_case is None


def conversation(
    case: Case, by: Actor, evidence: list[UrgencyEvidence], last: int
) -> tuple[list[Said], bool]:
    """The newest ``last`` messages (0: all), oldest first, and whether there are earlier ones. Four queries, one more where letters came."""
    found = (
        readable_by(by, case)
        .select_related("by", "case")
        .annotate(has_html=ExpressionWrapper(~Q(html=""), output_field=BooleanField()))
        .prefetch_related("attachments", "references", "deliveries")
        .order_by("-at", "-id")
    )
    messages = list(found[: last + 1] if last else found)
    earlier = bool(last) and len(messages) > last
    quotes: dict[int, list[Span]] = {}
    for e in evidence:
        if e.message_id and e.start is not None and e.end is not None:
            quotes.setdefault(e.message_id, []).append(Span(e.start, e.end, "urgency"))
    shown = (messages[:last] if last else messages)[::-1]
    came = _came([m.pk for m in shown if m.channel == "letter"])
    return [_said(m, case, quotes.get(m.pk, []), came.get(m.pk)) for m in shown], earlier


def _came(messages: list[int]) -> dict[int, Letter]:
    """The letters that these messages came as."""
    rows = Letter.objects.filter(message__in=messages).order_by("-id") if messages else []
    return {row.message_id: row for row in rows if row.message_id}


def _said(message: Message, case: Case, quotes: list[Span], came: Letter | None) -> Said:
    references = [Span(r.start, r.end, r.kind) for r in message.references.all()]
    return Said(
        message=message,
        side=side(message),
        pieces=cut(message.body, references + quotes),
        files=[File(a, a.content_type in PICTURES) for a in message.attachments.all()],
        letter=_letter(message),
        from_case=message.case.number if message.case_id != case.pk else None,
        came=came,
    )


def _letter(message: Message) -> Delivery | None:
    """The last letter with our words; beside the customer's own, only a confirmation that did not arrive."""
    last = max(message.deliveries.all(), key=lambda d: d.pk, default=None)
    ours = message.author == Message.Author.STAFF
    return last if last and (ours or last.state in NOT_ARRIVED) else None


def side(message: Message) -> str:
    """Whose words and for whom, as one of five."""
    if message.audience == Message.Audience.STAFF:
        return "note"
    if message.author in (Message.Author.CUSTOMER, Message.Author.MERCHANT):
        return str(message.author)
    return "to_merchant" if message.audience == Message.Audience.MERCHANT else "staff"
