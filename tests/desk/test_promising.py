"""Promises of every kind: only the named act keeps one, and how each ended is never hidden.

Over 300 lines: one test for each act and each way to end.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, Refusal
from makegood.cases.models import CaseEvent
from makegood.conversations.models import Delivery
from makegood.desk.breaking import undone
from makegood.desk.closing import end_disagreed, reopen
from makegood.desk.fixing import record_fix, verify
from makegood.desk.handling import raise_urgency
from makegood.desk.joining import merge
from makegood.desk.promising import keep_promise, promise, record_call, withdraw_promise
from makegood.desk.saying import GivenTime
from makegood.desk.talking import note, reply
from makegood.desk.telling import tell
from makegood.desk.triaging import Sorting, triage
from makegood.packs import policy
from makegood.people import actors
from makegood.promises import ledger
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def states(case, what: str = "") -> list[str]:
    found = Promise.objects.filter(case=case).order_by("id")
    return list((found.filter(what=what) if what else found).values_list("state", flat=True))


def call_back(cast, case, hours: float = 3):
    words = "내일 전화 드리겠습니다"
    event = promise(
        case,
        by=cast.by(cast.minji),
        seen=None,
        what="call_back",
        due_at=stages.soon(hours),
        words=words,
    )
    return Promise.objects.get(pk=event.data["promise"])


def test_a_note_and_an_answer_keep_no_call_back_and_a_call_that_reached_jiwoo_does(cast):
    case = stages.answered(cast)
    given = call_back(cast, case)
    assert given.words == "내일 전화 드리겠습니다" and stages.fresh(case).due_at == given.due_at
    note(case, by=cast.by(cast.minji), text="I called her.")
    reply(case, by=cast.by(cast.minji), seen=None, text="전화 드릴게요.", next_word_at=stages.soon())
    by = cast.by(cast.minji)
    record_call(case, by=by, seen=None, words="No answer.", reached=False)
    given.refresh_from_db()
    assert given.state == "open", "a call that reached nobody keeps nothing"
    with pytest.raises(Refusal) as refused:
        record_call(case, by=by, seen=None, words="She picked up.", reached=True)
    assert refused.value.field == "next_word_at"
    event = record_call(
        case, by=by, seen=None, words="She picked up.", reached=True, next_word_at=stages.soon(20)
    )
    given.refresh_from_db()
    assert (given.state, given.proof_event_id) == ("kept", event.pk)
    words = Promise.objects.filter(case=case, what="next_word").order_by("id")
    assert [w.state for w in words] == ["kept", "superseded", "open"]
    assert words.last().due_at.isoformat() == event.data["until"]


def test_a_call_that_came_too_late_keeps_nothing(cast):
    case = stages.answered(cast)
    given = call_back(cast, case, hours=1)
    with clock.travel(timedelta(hours=2)):
        record_call(
            case, by=cast.by(cast.minji), seen=None, words="Hello?", reached=True, next_word_at=stages.soon()
        )
    given.refresh_from_db()
    assert given.state == "broken" and given.settled_at == given.due_at
    broke = CaseEvent.objects.get(case=case, kind="promise_broken")
    assert broke.true_at == given.due_at and broke.data["what"] == "call_back"


def test_there_is_no_credit_for_early(cast):
    case = stages.answered(cast)
    word = Promise.objects.get(case=case, what="next_word", state="open")
    reply(case, by=cast.by(cast.minji), seen=None, text="먼저 알려 드립니다.", next_word_at=stages.soon(2))
    word.refresh_from_db()
    following = Promise.objects.get(case=case, what="next_word", state="open")
    assert word.state == "kept" and following.due_at < word.due_at, "kept is kept; the new time counts alone"


def test_sorting_promises_a_decision_by_the_rule_and_a_rise_makes_it_sooner_never_later(cast):
    case = stages.owned(cast)
    first = Promise.objects.get(case=case, what="decision")
    assert first.basis == "policy" and first.policy["level"] == case.urgency
    span = policy().times(case.urgency, "refund.delay").decision
    assert abs(first.due_at - first.made_at - span) < timedelta(seconds=1)
    raise_urgency(case, by=cast.by(cast.jun), level=5, reason="They wait for rent.")
    first.refresh_from_db()
    second = Promise.objects.get(case=case, what="decision", state="open")
    assert first.state == "superseded" and second.due_at < first.due_at
    triage(stages.fresh(case), Sorting(type="product.info"), by=cast.by(cast.jun), seen=None)
    assert Promise.objects.get(case=case, what="decision", state="open").pk == second.pk


def test_a_changed_policy_moves_no_promise(cast, monkeypatch, tmp_path):
    case = stages.owned(cast)
    before = list(Promise.objects.filter(case=case).values_list("pk", "due_at", "policy"))
    text = (policy_file()).read_text("utf-8").replace("decision_hours = 24\n", "decision_hours = 12.5\n")
    (tmp_path / "policy.toml").write_text(text, "utf-8")
    monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path))
    assert policy().level(3).decision == timedelta(hours=12.5)
    assert list(Promise.objects.filter(case=case).values_list("pk", "due_at", "policy")) == before


def policy_file():
    from makegood.packs.reading import SHIPPED

    return SHIPPED / "policy.toml"


def test_a_decision_is_kept_by_telling_it_not_by_any_answer(cast):
    case = stages.answered(cast)
    assert states(case, "decision") == ["open"]
    by = cast.by(cast.minji)
    reply(case, by=by, seen=None, text="환불해 드리기로 했습니다.", next_word_at=stages.soon(), decides=True)
    kept = Promise.objects.get(case=case, what="decision")
    assert kept.state == "kept" and kept.proof.body == "환불해 드리기로 했습니다."
    other = stages.answered(cast)
    end_disagreed(other, by=cast.by(cast.sujin), seen=None, text="유감입니다.", outside_route="1372")
    assert states(other, "decision") == ["kept"]


def test_a_remedy_is_kept_by_proof(cast):
    case = stages.owned(cast)
    by = cast.by(cast.minji)
    promise(case, by=by, seen=None, what="remedy", due_at=stages.soon(5), words="오늘 안에 환불")
    record_fix(case, by=by, seen=None, done="Refund sent.", cause="Bank.")
    assert states(case, "remedy") == ["open"], "done is not yet proved"
    proof = {"proof": "payment_record", "what_was_seen": "Left on the 3rd."}
    event = verify(case, by=cast.by(cast.wei), seen=None, **proof)
    kept = Promise.objects.get(case=case, what="remedy")
    assert (kept.state, kept.proof_event_id) == ("kept", event.pk)
    tell(case, by=by, seen=None, text="환불되었습니다.", next_word_at=stages.soon(48))
    assert states(case, "decision") == ["kept"]


def test_times_in_the_words_of_an_answer_become_rows_with_the_words(cast):
    case = stages.owned(cast)
    given = GivenTime("call_back", stages.soon(2), "두 시간 안에 전화 드리겠습니다")
    text = "확인했습니다.\n두 시간 안에 전화 드리겠습니다. 감사합니다."
    event = reply(
        case, by=cast.by(cast.minji), seen=None, text=text, next_word_at=stages.soon(4), promises=[given]
    )
    row = Promise.objects.get(case=case, what="call_back")
    assert (row.words, row.given_in_id, row.basis) == (given.words, event.data["message"], "promised")
    assert event.data["times"] == [row.pk] and stages.fresh(case).due_at == row.due_at


@pytest.mark.parametrize(
    ("what", "hours", "words", "code"),
    [
        ("call_back", 2, "내일 정오까지 환불", "not_said"),
        ("next_word", 2, "곧", "unknown_code"),
        ("call_back", -1, "곧 전화", "bad_time"),
        ("call_back", 24 * 61, "곧 전화", "bad_time"),
        ("call_back", 2, "", "empty"),
    ],
)
def test_a_time_that_the_words_do_not_give_is_refused_and_nothing_is_sent(cast, what, hours, words, code):
    case = stages.owned(cast)
    letters, promised = Delivery.objects.count(), Promise.objects.count()
    time = GivenTime(what, stages.soon(hours), words)
    with pytest.raises(Refusal) as refused:
        reply(
            case,
            by=cast.by(cast.minji),
            seen=None,
            text="곧 전화 드립니다.",
            next_word_at=stages.soon(),
            promises=[time],
        )
    assert (refused.value.code, refused.value.field) == (code, "promises")
    assert (letters, promised) == (Delivery.objects.count(), Promise.objects.count())
    assert stages.fresh(case).version == case.version


def test_something_else_is_kept_by_words_of_proof_and_nothing_else_is(cast):
    case = stages.answered(cast)
    by = cast.by(cast.minji)
    event = promise(case, by=by, seen=None, what="other", due_at=stages.soon(2), words="영수증을 보내 드림")
    other = Promise.objects.get(pk=event.data["promise"])
    keep_promise(case, other.pk, by=by, seen=None, proof="Sent with the parcel, see tracking.")
    other.refresh_from_db()
    assert other.state == "kept"
    for what in ("next_word", "decision"):
        row = Promise.objects.get(case=case, what=what, state="open")
        with pytest.raises(Refusal) as refused:
            keep_promise(case, row.pk, by=by, seen=None, proof="done")
        assert refused.value.code == "own_act"
    with pytest.raises(Refusal, match="no such open promise"):
        keep_promise(case, other.pk, by=by, seen=None, proof="again")


def test_late_is_not_kept_whatever_the_proof(cast):
    case = stages.answered(cast)
    by = cast.by(cast.minji)
    event = promise(case, by=by, seen=None, what="other", due_at=stages.soon(2), words="x")
    version = stages.fresh(case).version
    with clock.travel(timedelta(hours=3)), pytest.raises(Refusal, match="time has passed"):
        keep_promise(case, event.data["promise"], by=by, seen=None, proof="done")
    assert stages.fresh(case).version == version


def test_a_lead_withdraws_a_promise_and_it_stays_in_sight_but_nobody_takes_back_the_word(cast):
    case = stages.answered(cast)
    given = call_back(cast, case)
    with pytest.raises(NotAllowed):
        withdraw_promise(case, given.pk, by=cast.by(cast.minji), seen=None, reason="busy")
    withdraw_promise(case, given.pk, by=cast.by(cast.sujin), seen=None, reason="She asked for mail instead.")
    given.refresh_from_db()
    assert given.state == "withdrawn" and given.settled_at
    word = Promise.objects.get(case=case, what="next_word", state="open")
    with pytest.raises(Refusal, match="owed"):
        withdraw_promise(case, word.pk, by=cast.by(cast.sujin), seen=None, reason="no time")


@pytest.mark.parametrize(
    ("field", "value"),
    [("what", "next_word"), ("what", "moon"), ("to", "moon"), ("due_at", None), ("words", " ")],
)
def test_a_promise_by_hand_names_what_is_wrong_with_it(cast, field, value):
    case = stages.owned(cast)
    fields = {"what": "call_back", "to": "customer", "due_at": stages.soon(), "words": "x", field: value}
    with pytest.raises(Refusal) as refused:
        promise(case, by=cast.by(cast.minji), seen=None, **fields)
    assert refused.value.field == field and stages.fresh(case).version == case.version


def test_a_letter_that_came_back_breaks_what_its_words_had_kept(cast):
    case = stages.answered(cast)
    first = Promise.objects.get(case=case, what="first_word")
    letter = Delivery.objects.get(message=first.proof)
    undone(stages.fresh(case), letter, clock.now())
    first.refresh_from_db()
    assert first.state == "kept", "while the letter may still arrive, nothing is broken"
    Delivery.objects.filter(pk=letter.pk).update(state="bounced")
    letter.refresh_from_db()
    before = stages.fresh(case)
    undone(before, letter, clock.now())
    first.refresh_from_db()
    assert (first.state, first.undone_by_id) == ("broken", letter.pk)
    event = CaseEvent.objects.get(case=case, kind="promise_broken")
    assert event.data["undone"] == letter.pk and event.true_at == first.settled_at <= clock.now()
    assert stages.fresh(case).urgency >= 3
    undone(stages.fresh(case), letter, clock.now())
    assert CaseEvent.objects.filter(case=case, kind="promise_broken").count() == 1


def test_a_second_letter_with_the_same_words_that_arrived_saves_the_promise(cast):
    case = stages.answered(cast)
    first = Promise.objects.get(case=case, what="first_word")
    letter = Delivery.objects.get(message=first.proof)
    again = Delivery.objects.get(pk=letter.pk)
    again.pk, again.state = None, "sent"
    again.save()
    Delivery.objects.filter(pk=letter.pk).update(state="bounced")
    letter.refresh_from_db()
    assert ledger.undo_by(letter, clock.now()) == []


def test_a_round_that_opens_on_an_open_case_replaces_the_word_alone(cast):
    case = stages.told(cast)
    given = call_back(cast, case, hours=30)
    from makegood.desk.telling import confirm

    confirm(case, by=actors.customer(case.customer_id), telling_id=case.tellings.get().pk, answer="not_good")
    given.refresh_from_db()
    assert given.state == "open" and stages.fresh(case).status == "working"


def test_promises_go_along_with_a_merge_and_end_with_the_case(cast):
    case, into = stages.answered(cast), stages.answered(cast)
    given = call_back(cast, case)
    merge(case, into, by=cast.by(cast.minji), seen=None)
    moved = Promise.objects.get(case=into, what="call_back")
    assert (moved.due_at, moved.words, moved.state) == (given.due_at, given.words, "open")
    end_disagreed(stages.fresh(into), by=cast.by(cast.sujin), seen=None, text="x", outside_route="1372")
    assert "open" not in states(into)
    reopen(stages.fresh(into), by=cast.by(cast.minji), why="new facts")
    found = stages.fresh(into)
    assert found.due_at > clock.now() and states(into, "decision")[-1] == "open"
