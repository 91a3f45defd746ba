"""What is done in a war room: tasks with owner and time, decisions, thanks, and the chat."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.base.words import clean
from makegood.cases import pen, vault
from makegood.cases.models import Case, CaseEvent
from makegood.desk import notices, rooming
from makegood.desk.verb import verb
from makegood.escalation import duty
from makegood.incidents.models import Decision, Room, RoomMember, RoomMessage, Task, Thanks
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import STAFF, User
from makegood.promises import ledger
from makegood.promises.models import Promise


@verb("work_in_room")
def give_task(room: Room, *, by: Actor, owner: User | None, what: str, due_at: datetime | None) -> CaseEvent:
    """Who does what by when, as a promise among colleagues that the sweep watches. Without these three it is refused."""
    case, room = rooming.hold(room)
    if not case.is_open:
        raise Refusal("ended", _("The case has already ended."))
    if owner is None or owner.role not in STAFF or not owner.is_active or owner.pk in duty.absent():
        raise Refusal("nobody", _("Say who does it: somebody who is here."), field="owner")
    words = clean(what, limit=2000, field="what")
    if due_at is None or due_at <= clock.now():
        raise Refusal("bad_time", _("Say by when it is done, ahead of now."), field="due_at")
    promise = ledger.give(
        case,
        due_at=due_at,
        by=owner.pk,
        what="other",
        basis="promised",
        to="staff",
        words=words,
        field="due_at",
    )
    task = Task.objects.create(room=room, owner=owner, what=words, promise=promise, by_id=by.user_id)
    rooming.enter(room, owner.pk)
    if by.user_id:
        rooming.enter(room, by.user_id)
    until = due_at.isoformat()
    notices.notify(case, "room_task", to={owner.pk} - {by.user_id}, data={"room": room.pk, "until": until})
    data = {"room": room.pk, "task": task.pk, "user": owner.pk, "promise": promise.pk, "until": until}
    return pen.write(case, "room_task_given", by=by, data=data, due_at=ledger.next_due(case))


@verb("work_in_room")
def finish_task(room: Room, task_id: int, *, by: Actor, words: str) -> CaseEvent:
    """It is done; ``words`` say what was done. In time it keeps its promise; late it is done all the same, and was broken."""
    case, room = rooming.hold(room)
    task = Task.objects.select_related("promise").filter(room=room, pk=task_id, done_at__isnull=True).first()
    if task is None:
        raise Refusal("no_task", _("There is no such open task in this room."), field="task")
    said = clean(words, limit=5000, field="words")
    Task.objects.filter(pk=task.pk).update(done_at=clock.now(), done_by_id=by.person, done_words=said)
    rooming.enter(room, by.person)
    mine = _promises(task, case)
    data = {"room": room.pk, "task": task.pk}
    due_at = ledger.next_due(case, without=mine) if case.is_open else None
    event = pen.write(case, "room_task_done", by=by, data=data, due_at=due_at)
    ledger.keep(mine, proof_event=event)
    return event


@verb("work_in_room")
def decide(room: Room, *, by: Actor, who: User | None, what: str, why: str) -> CaseEvent:
    """Note a decision as a decision: who decided what, and why."""
    case, room = rooming.hold(room)
    if who is None or who.role not in STAFF:
        raise Refusal("nobody", _("Say who decided it."), field="who")
    decision = Decision.objects.create(
        room=room,
        who=who,
        what=clean(what, limit=2000, field="what"),
        why=clean(why, limit=2000, field="why"),
        by_id=by.person,
    )
    rooming.enter(room, by.person)
    return pen.write(case, "room_decided", by=by, data={"room": room.pk, "decision": decision.pk})


@verb("work_in_room")
def thank(room: Room, *, by: Actor, to: Iterable[int], words: str) -> CaseEvent:
    """Thank those who helped, by name and in words; each of them hears of it."""
    case, room = rooming.hold(room)
    people = list(User.objects.filter(pk__in=set(to), role__in=STAFF).order_by("pk"))
    if not people:
        raise Refusal("nobody", _("Say whom you thank."), field="to")
    if any(user.pk == by.user_id for user in people):
        raise Refusal("yourself", _("Somebody else thanks you."), field="to")
    said = clean(words, limit=2000, field="words")
    given = Thanks.objects.bulk_create(
        Thanks(room=room, to=user, words=said, by_id=by.person, at=clock.now()) for user in people
    )
    rooming.changed(room)
    notices.notify(case, "room_thanks", to=[user.pk for user in people], data={"room": room.pk})
    data = {"room": room.pk, "thanks": [row.pk for row in given]}
    return pen.write(case, "room_thanked", by=by, data=data, touched_at=case.touched_at)


def say(room: Room, *, by: Actor, text: str) -> RoomMessage:
    """A line of the chat. Not a verb: it changes nothing of the case, and sixty who talk must not wait for each other's lock on it."""
    roles.check(by, "work_in_room")
    body = clean(text, limit=rooming.LONGEST_TEXT, field="text")
    with transaction.atomic():
        if not rooming.changed(room):
            rooming.refuse_closed(Room.objects.get(pk=room.pk))
        if not RoomMember.objects.filter(room=room, user=by.person, left_at__isnull=True).exists():
            rooming.enter(room, by.person)
        body = vault.taken(room.case, body, by=by)
        return RoomMessage.objects.create(room=room, by_id=by.person, body=body, at=clock.now())


def _promises(task: Task, case: Case) -> list[int]:
    """The promise of the task; after a merge the one that the survivor inherited, which says the same to the minute."""
    if task.promise.case_id == case.pk:
        return [task.promise_id]
    heirs = Promise.objects.filter(
        case=case, to="staff", state=Promise.State.OPEN, due_at=task.promise.due_at
    )
    return list(
        heirs.filter(words=task.promise.words, by=task.promise.by_id).values_list("pk", flat=True)[:1]
    )
