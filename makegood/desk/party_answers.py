"""What an outside party answers: by its link, or by a letter. Evidence, seen by everybody who works on the case; it closes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases import pen
from makegood.cases.models import Case, CaseEvent
from makegood.conversations import messages
from makegood.conversations.messages import Audience, Author, Upload
from makegood.desk import asking, notices
from makegood.desk.verb import verb
from makegood.parties.models import PartyAnswer, PartyAsk
from makegood.people.actors import Actor
from makegood.promises import ledger
from makegood.promises.hours import calendar_of, within_hours

_Answer = PartyAnswer.Answer
#: So many words of one party to one task are taken; more is a machine that answers machines.
MOST = 200
#: Nothing is promised farther ahead.
FARTHEST = timedelta(days=60)


@verb("answer_party")
def answer_party(
    ask: PartyAsk,
    *,
    by: Actor,
    answer: str,
    words: str = "",
    until: datetime | None = None,
    files: Sequence[Upload] = (),
    channel: str = "",
) -> CaseEvent:
    """The party's word: 'done', 'by' a time, 'cannot' (with a reason), or 'wrote' (a letter that a person reads).

    'done' in time keeps what they owed; late it stays broken, and is done. 'by' a later time than was asked moves no
    deadline: what was asked stays due when it was, and the page shows what they said.
    """
    case = pen.hold(ask.case_id)
    ask = PartyAsk.objects.select_related("party", "promise").get(pk=ask.pk)
    if answer not in _Answer.values:
        raise Refusal("unknown_answer", _("Choose one of the answers."), field="answer")
    if not ask.is_open and answer != _Answer.WROTE:
        raise Refusal("not_open", _("This is no longer needed. Thank you."), field="answer")
    now = clock.now()
    if answer == _Answer.BY and (until is None or not now < until <= now + FARTHEST):
        raise Refusal("bad_time", _("The time must be ahead of now, and within 60 days."), field="until")
    if answer == _Answer.CANNOT and not words.strip():
        raise Refusal("no_reason", _("Please say why it cannot be done."), field="words")
    if ask.answers.count() >= MOST:
        raise Refusal("too_many", _("There are too many answers to this already."), field="words")
    said = words if words.strip() or files else str(dict(_Answer.choices)[answer])
    message = messages.store(
        case, by=by, author=Author.PARTY, audience=Audience.STAFF, body=said, files=files, channel=channel
    )
    until = until if answer == _Answer.BY else None
    PartyAnswer.objects.create(ask=ask, answer=answer, until=until, message=message, at=now)
    data: dict[str, Any] = {"ask": ask.pk, "party": ask.party_id, "said": answer, "message": message.pk}
    if until:
        data["until"] = until.isoformat()
    kept = [ask.promise_id] if answer == _Answer.DONE else []
    moves: dict[str, Any] = (
        {"due_at": ledger.next_due(case, without=kept) or case.due_at} if case.is_open else {}
    )
    event = pen.write(case, "party_answered", by=by, data=data, **moves)
    _follow(case, ask, answer, until, event)
    notices.notify(case, "party_answered", to=notices.owner_of(case), data={"name": ask.party.name})
    return event


def _follow(case: Case, ask: PartyAsk, answer: str, until: datetime | None, event: CaseEvent) -> None:
    if answer == _Answer.DONE:
        ledger.keep([ask.promise_id], proof_event=event)
        asking.end(ask, PartyAsk.State.DONE)
    elif answer == _Answer.CANNOT:
        asking.end(ask, PartyAsk.State.CANNOT)
        notices.notify(case, "party_cannot", to=notices.leads_of(case), data={"name": ask.party.name})
    elif answer == _Answer.BY and until:
        ask.says_by = until
        # Asked again when their own time has come, or when ours has, whichever is first.
        ask.look_at = within_hours(
            min(until, ask.due_at) if ask.due_at > clock.now() else until, calendar_of(case)
        )
        ask.save(update_fields=["says_by", "look_at"])
