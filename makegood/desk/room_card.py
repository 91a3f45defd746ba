"""The one card of a war room, written by many at once: each field has its versions, and nothing is ever overwritten.

A form carries the version of its field that it was drawn from. Two fields never collide; of two who write on the same
version of one field, the second is shown both texts, keeps their own, and decides.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal, Stale
from makegood.base.words import clean
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author
from makegood.desk import notices, rooming
from makegood.desk.verb import verb
from makegood.incidents.models import CardField, Room, RoomMember
from makegood.people.actors import Actor
from makegood.people.models import User

Field = CardField.Field
#: What those outside the room hear of at once.
TOLD = (Field.PROGRESS, Field.BLOCKER, Field.NEXT_WORD)
_STAKE = (RoomMember.Role.BUSINESS, RoomMember.Role.TECHNICAL)


class Conflict(Stale):
    """Somebody wrote this field meanwhile. ``theirs`` is what stands there now, ``mine`` what was about to be written."""

    def __init__(self, field: str, *, mine: str, theirs: CardField, seen: int) -> None:
        reason = _("Somebody else wrote here meanwhile. Both texts stand below; nothing is lost.")
        super().__init__(reason, seen=seen, now_at=theirs.n)
        self.field, self.mine, self.theirs = field, mine, theirs


@verb("work_in_room")
def edit_card(
    room: Room, *, by: Actor, field: str, n: int, text: str, to_merchant: bool = False
) -> CaseEvent:
    """Write one field of the card, on version ``n`` of it (0: nobody wrote it yet).

    ``to_merchant``: the same words go to the merchant's page; only progress, blocker and next word do. Raises Conflict
    when the field is at another version. An empty text clears the field; its history stays.
    """
    case, room = rooming.hold(room)
    if field not in Field.values:
        raise Refusal("unknown_code", _("This is not in the list."), field="field")
    words = clean(text, limit=rooming.LONGEST_TEXT, field="text", required=False)
    last = CardField.objects.filter(room=room, field=field).select_related("by").order_by("-n").first()
    if last and last.n != n:
        raise Conflict(field, mine=words, theirs=last, seen=n)
    if words == (last.text if last else ""):
        raise Refusal("unchanged", _("Nothing is different from what stands there."), field="text")
    written = CardField.objects.create(
        room=room, field=field, n=(last.n if last else 0) + 1, text=words, by_id=by.person
    )
    rooming.enter(room, by.person)
    data = {"room": room.pk, "field": field, "n": written.n}
    if to_merchant:
        data["message"] = _to_merchant(case, field, words, by)
    return pen.write(case, "room_card_changed", by=by, data=data)


def tell_stakeholders(event: CaseEvent) -> None:
    """A follower: progress, blocker or next word changed, so those whose matter it is hear of it, each in their language."""
    field = event.data["field"]
    if field in TOLD:
        room = Room.objects.get(pk=event.data["room"])
        to = stakeholders(room, event.case) - {event.actor_id}
        notices.notify(event.case, "room_changed", to=to, data={"room": room.pk, "what": field})


def stakeholders(room: Room, case: Case) -> set[int | None]:
    """Who must hear: the colleague who reported it, the owner, business and technical lead (where the room names none, the case's lead)."""
    named = set(
        RoomMember.objects.filter(room=room, role__in=_STAKE, left_at__isnull=True).values_list(
            "user_id", flat=True
        )
    )
    reporter = CaseEvent.objects.filter(case=room.case_id, seq=1).values_list("actor_id", flat=True).first()
    return {reporter, case.owner_id, *(named or notices.leads_of(case))}


def card(room: Room) -> dict[str, CardField | None]:
    """Each field's newest version, in the order of the card; None where nobody wrote yet. One query."""
    newest = (
        CardField.objects.filter(room=room).select_related("by").order_by("field", "-n").distinct("field")
    )
    found = {row.field: row for row in newest}
    return {str(field): found.get(field) for field in Field.values}


def history(room: Room, field: str) -> list[CardField]:
    """Every version of one field, the newest first."""
    return list(CardField.objects.filter(room=room, field=field).select_related("by").order_by("-n")[:500])


def _to_merchant(case: Case, field: str, words: str, by: Actor) -> int:
    """The same words on the merchant's page; returns the message's id. No word to the customer: it keeps no promise."""
    if field not in TOLD:
        raise Refusal(
            "not_for_merchant",
            _("Only progress, blocker and next word go to the merchant."),
            field="to_merchant",
        )
    if not User.objects.filter(shops=case.shop_id, is_active=True).exists():
        raise Refusal("no_merchant", _("No merchant of this shop has an account here."), field="to_merchant")
    body = clean(words, limit=rooming.LONGEST_TEXT, field="text")
    return messages.store(case, by=by, author=Author.STAFF, audience=Audience.MERCHANT, body=body).pk
