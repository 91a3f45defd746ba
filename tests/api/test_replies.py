"""Over the API a reply passes the same checks, and the refusal says everything that a program needs to answer it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.conversations.models import HeldReply, Message, ReplyOverride
from makegood.people.signatures import Habit
from makegood.promises.models import Promise
from tests import cast as stages

pytestmark = pytest.mark.django_db


def body(text: str, **more):
    return {
        "seen": None,
        "text": text,
        "next_word_at": (clock.now() + timedelta(hours=4)).isoformat(),
        **more,
    }


def test_a_grave_finding_is_a_problem_with_its_place_and_a_reason_lets_it_pass(cast, call):
    case, minji = stages.owned(cast), call(cast.minji)
    answer = minji.verb(case.number, "reply", body("환불이 완료되었습니다."))
    problem = answer.json()
    assert answer.status_code == 422 and (problem["code"], problem["field"]) == ("done.claimed", "text")
    found = next(f for f in problem["findings"] if f["rule"] == "done.claimed")
    assert (found["level"], found["start"], found["quote"]) == ("justify", 0, "환불이 완료되었습니다")
    assert not Message.objects.filter(case=case, author="staff").exists()
    sent = minji.verb(
        case.number, "reply", body("환불이 완료되었습니다.", justified={"done.claimed": "seen"})
    )
    assert sent.status_code == 200 and ReplyOverride.objects.get().reason == "seen"


def test_a_promised_time_comes_back_ready_to_be_confirmed(cast, call):
    case, minji = stages.owned(cast), call(cast.minji)
    text = "확인해서 내일 오전까지 전화드리겠습니다."
    problem = minji.verb(case.number, "reply", body(text)).json()
    (offer,) = problem["promises"]
    assert problem["code"] == "unheard_promise" and offer["possible"] and offer["words"] == "내일 오전까지"
    given = {name: offer[name] for name in ("what", "words", "due_at")}
    assert minji.verb(case.number, "reply", body(text, promises=[given])).status_code == 200
    assert Promise.objects.get(case=case, what="call_back").words == "내일 오전까지"
    assert minji.verb(case.number, "reply", body(text, declined=["내일 오전까지"])).status_code == 200


def test_a_program_is_never_made_to_wait(cast, call):
    Habit.objects.update(hold=True)
    case = stages.owned(cast)
    assert call(cast.minji).verb(case.number, "reply", body("확인하고 있습니다.")).status_code == 200
    assert not HeldReply.objects.exists()
