"""The whole loop over the API, and each verb's place in it."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest

from makegood.api import shapes
from makegood.api.verbs import VERBS
from makegood.base import clock
from makegood.cases.access import case_by_token
from makegood.cases.models import Case, Closure
from makegood.desk import verb as desk_verb
from makegood.desk.telling import confirm
from makegood.people import actors
from makegood.promises.ledger import next_word_due
from tests import cast as stages

pytestmark = pytest.mark.django_db

#: Verbs of the desk that the API has under another address, or not at all, and why.
NOT_AS_A_ROUTE = {
    "open": "POST /cases",
    "write": "the customer's own; they write on their page",
    "confirm": "the customer's own word; nobody confirms for them",
    "deliver": "the worker's own: what the mail server said of a letter",
    "climb": "the sweep's own: nobody touched a case",
    "hand_back": "the sweep's own: the owner is away or has left",
    "withhold_room": "the ladder's own: no lead has a hand free, or the incident has its room",
    "pass_on": "the sweep's own: nobody accepted a case in time",
    "ask_helper": "a suggestion for whoever looks at the page; a program has models of its own",
    "note_letter": "the system's own: a letter that is nobody's word",
    "decline_asks": "the customer's own; by the address in the letter that asks",
    "be_in_room": "a room is entered on its page, where its card and chat are read",
    "work_in_room": "card, chat, tasks and decisions are people's own on the page; events tell of them",
    "give_room_role": "as be_in_room",
    "close_room": "as be_in_room: its lead reads there what is missing",
    "lead_incident": "what is done on all cases is read and decided on the incident's page",
    "verify_incident": "as lead_incident",
    "raise_by_evidence": "the system's own, caused by what was said",
    "notice": "the watch's own: what it found in the log",
    "dismiss_finding": "said on the page of the finding, where its picture is",
    "sweep": "the sweep's own: what happens when a moment comes",
    "choose_remedy": "the customer's own choice; nobody chooses for them",
    "counter_propose": "the customer's own proposal",
    "settle_step": "the worker's own: what the shop answered, or is found to have done",
    "verify_by_record": "the house's own: the transaction itself says that it arrived",
    "ask_party": "people's own: which words and facts leave the house is decided on the page",
    "answer_party": "the party's own, on its page or by letter",
    "chase_party": "as ask_party; the sweep reminds by itself",
    "withdraw_party_ask": "as ask_party",
    "freeze": "people's own: who sees a restricted case stops its use on its page",
    "frozen": "as freeze",
    "release": "as freeze",
    "settle_freeze": "the worker's own: what the shop's system answered",
    "confirm_leak": "as freeze",
    "check_security": "as freeze",
    "reveal": "a masked value is shown once, to a person, never to a program",
    "erase_masked": "as reveal",
    "answer_follow_up": "the customer's own word; nobody says for them that it held",
}


def soon(hours: float = 4) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


def due(number: int) -> str:
    return next_word_due(Case.objects.get(number=number)).isoformat()


def opened(caller, **more):
    body = {
        "shop": "haneul",
        "text": stages.WORDS["ko"],
        "customer": {"email": "jiwoo@customer.example"},
        **more,
    }
    response = caller.post("/cases", body)
    assert response.status_code == 201, response.content
    return response.json()


def test_minji_takes_a_problem_over_the_api_from_reported_to_told_and_only_jiwoo_closes_it(cast, call):
    minji, wei = call(cast.minji), call(cast.wei)
    case = opened(minji)
    number = case["number"]
    assert case["version"] == 1 and case["event"]["kind"] == "opened" and case["event"]["door"] == "api"
    for caller, name, body in (
        (minji, "triage", {"type": "refund.delay"}),
        (minji, "take", {}),
        (minji, "reply", {"text": "확인하고 있습니다.", "next_word_at": soon()}),
        (minji, "fix", {"done": "Refund sent again.", "cause": "Bank was down.", "remedy": "refund"}),
        (wei, "verify", {"proof": "payment_record", "what_was_seen": "Money left on the 3rd."}),
        (minji, "tell", {"text": "환불이 완료되었습니다.", "next_word_at": soon(48)}),
    ):
        response = caller.verb(number, name, {**body, "seen": case["version"]})
        assert response.status_code == 200, (name, response.content)
        assert response.json()["version"] == case["version"] + 1
        case = response.json()
    sheet = minji.get(f"/cases/{number}").json()
    assert sheet["status"] == "told"
    assert [b["code"] for b in sheet["blockers"]] == ["not_confirmed"]
    assert not Closure.objects.exists()

    address = minji.verb(number, "share_link").json()["address"]
    mine, jiwoo = case_by_token(address.rstrip("/").rsplit("/", 1)[-1])
    confirm(mine, by=jiwoo, telling_id=mine.tellings.get().pk, answer="all_good")
    kinds = [e["kind"] for e in minji.get(f"/cases/{number}/events").json()["events"]]
    assert kinds[-2:] == ["confirmed", "closed"]
    assert minji.get(f"/cases/{number}").json()["ended_as"] == "made_good"


def test_a_spoken_word_written_down_over_the_api_tells_the_version_after_all_that_followed(cast, call):
    case = stages.told(cast)
    body = {"answer": "all_good", "words": "네, 다 됐어요.", "channel": "phone", "seen": case.version}
    told = call(cast.jun).verb(case.number, "record_confirmation", body).json()
    assert told["event"]["kind"] == "confirmed"
    assert told["version"] == told["event"]["seq"] + 1 == stages.fresh(case).version


def test_the_sheet_quotes_the_customer(cast, call):
    text = "주문번호 HN-20261101 환불이 아직도 안 됐어요. 당장 처리 안 하면 소비자원에 신고하겠습니다!"
    number = opened(call(cast.minji), text=text, impact={"money_lost": "39000", "orders_blocked": 2})[
        "number"
    ]
    sheet = call(cast.minji).get(f"/cases/{number}").json()
    quotes = [e for e in sheet["evidence"] if e["quote"]]
    assert quotes
    for e in quotes:
        assert text[e["start"] : e["end"]] == e["quote"]
    assert sheet["messages"][0]["text"] == text and sheet["promises"][0]["what"] == "first_word"
    assert sheet["impact"] == {
        "money_lost": "39000.00",
        "currency": "KRW",
        "orders_blocked": 2,
        "campaign_at_risk": False,
    }
    assert sheet["order_number"] == "HN-20261101" and sheet["contact"]["email"] == "jiwoo@customer.example"


def test_every_verb_of_the_desk_has_its_route_or_a_reason():
    rights = {verb.right for verb in VERBS}
    assert desk_verb.VERBS.keys() - rights == NOT_AS_A_ROUTE.keys()
    assert not rights & NOT_AS_A_ROUTE.keys()


def test_a_route_asks_for_the_version_exactly_where_the_desk_does():
    for verb in VERBS:
        assert verb.collides == ("seen" in inspect.signature(verb.run).parameters), verb.name


def test_facts_ticks_urgency_and_the_merchant(cast, call):
    minji, sujin, kang = call(cast.minji), call(cast.sujin), call(cast.kang)
    case = stages.owned(cast)
    n = case.number
    fact = minji.verb(n, "note_fact", {"text": "Refund was asked on the 1st.", "source": "customer_words"})
    assert fact.status_code == 200, fact.content
    struck = minji.verb(n, "strike_fact", {"fact": fact.json()["event"]["data"]["fact"], "because": "No."})
    assert struck.json()["event"]["kind"] == "fact_struck"
    item = next(i.code for i in __import__("makegood.packs").packs.playbook("refund.delay").items())
    assert minji.verb(n, "tick", {"item": item}).json()["event"]["kind"] == "ticked"
    assert minji.verb(n, "raise_urgency", {"level": 5, "reason": "They wait for rent."}).status_code == 200
    lower = {"level": 4, "reason": "Paid in part.", "evidence": "Bank record.", "seen": None}
    assert sujin.verb(n, "lower_urgency", lower).json()["event"]["data"] == {"from_level": 5, "to_level": 4}
    assert kang.verb(n, "say", {"text": "We sent it."}).status_code == 200
    assert minji.verb(n, "answer_merchant", {"text": "Thank you."}).status_code == 200
    assert minji.verb(n, "note", {"text": "Kang answers fast."}).status_code == 200
    assert minji.verb(n, "wait", {"waiting_for": "merchant", "seen": None}).status_code == 200
    assert minji.verb(n, "assign", {"owner": "wei@makegood.example", "seen": None}).status_code == 422
    card = {
        "customer_asks": "Her refund.",
        "tried": "Sent twice.",
        "asked": "Find why it stops.",
        "by_when": soon(6),
    }
    minji.verb(n, "note_fact", {"text": "Refused by the bank.", "source": "payment_record"})
    given = minji.verb(
        n, "hand_over", {**card, "team": "Technology", "to": "wei@makegood.example", "seen": None}
    )
    assert given.json()["event"]["data"]["user"] == cast.wei.pk, given.content
    restated = {"restated": "I find what stops the refund.", "next_word_at": due(n), "seen": None}
    assert call(cast.wei).verb(n, "accept_handover", restated).status_code == 200
    sheet = minji.get(f"/cases/{n}").json()
    assert sheet["owner"]["name"] == "Wei" and sheet["facts"][0]["struck_because"] == "No."
    assert sheet["lowerings"] and sheet["ticks"]


def test_promises_calls_and_sleep_over_the_api(cast, call):
    minji, sujin = call(cast.minji), call(cast.sujin)
    n = stages.answered(cast).number
    body = {"what": "other", "due_at": soon(5), "words": "영수증을 보내 드림", "seen": None}
    given = minji.verb(n, "promise", body).json()["event"]["data"]
    assert given["what"] == "other" and given["to"] == "customer"
    kept = minji.verb(n, "keep_promise", {"promise": given["promise"], "proof": "Sent.", "seen": None})
    assert kept.json()["event"]["kind"] == "promise_kept"
    text = "내일 정오까지 전화 드리겠습니다."
    times = [{"what": "call_back", "due_at": soon(20), "words": "내일 정오까지 전화"}]
    said = {"text": text, "next_word_at": soon(), "promises": times, "decides": True, "seen": None}
    assert minji.verb(n, "reply", said).status_code == 200
    promised = {p["what"]: p for p in minji.get(f"/cases/{n}").json()["promises"]}
    assert promised["call_back"]["words"] == "내일 정오까지 전화" and promised["decision"]["state"] == "kept"
    gone = {"promise": promised["call_back"]["id"], "reason": "She wrote.", "seen": None}
    assert minji.verb(n, "withdraw_promise", gone).status_code == 403
    assert sujin.verb(n, "withdraw_promise", gone).json()["event"]["kind"] == "promise_withdrawn"
    called = {"words": "No answer.", "reached": False, "seen": None}
    assert minji.verb(n, "record_call", called).json()["event"]["data"]["reached"] is False
    late = minji.verb(n, "snooze", {"until": soon(30), "reason": "Bank.", "seen": None})
    assert late.status_code == 422 and late.json()["field"] == "next_word_at"
    body = {"until": soon(30), "reason": "Bank.", "next_word_at": soon(31), "seen": None}
    assert minji.verb(n, "snooze", body).status_code == 200
    assert minji.get(f"/cases/{n}").json()["snoozed_until"]
    assert minji.verb(n, "wake").json()["event"]["kind"] == "woken"
    odd = {"text": "x", "next_word_at": soon(), "promises": [{**times[0], "words": "y"}], "seen": None}
    assert minji.verb(n, "reply", odd).json()["field"] == "promises"


def test_two_cases_are_joined_and_parted(cast, call):
    minji = call(cast.minji)
    one, two = opened(minji)["number"], opened(minji, text="배송도 아직 안 왔어요.")["number"]
    assert minji.verb(one, "link", {"other": two, "relation": "related", "seen": 1}).status_code == 200
    assert minji.get(f"/cases/{one}").json()["related"] == [two]
    assert minji.verb(one, "unlink", {"other": two, "seen": None}).status_code == 200
    assert minji.verb(one, "merge", {"into": two, "seen": None}).json()["number"] == two
    assert minji.get(f"/cases/{one}").json()["number"] == two
    messages = minji.get(f"/cases/{two}").json()["messages"]
    assert len(messages) == 2
    apart = minji.verb(two, "split", {"messages": [messages[0]["id"]], "subject": "환불", "seen": None})
    assert apart.status_code in (200, 422), apart.content


def test_an_incident_is_opened_joined_and_left(cast, call):
    minji, sujin = call(cast.minji), call(cast.sujin)
    one, two = opened(minji)["number"], opened(minji, text="배송도 아직 안 왔어요.")["number"]
    body = {"words": "The bank is down.", "common": {"shop": "haneul", "type": "refund.delay"}}
    assert minji.verb(one, "open_incident", body).status_code == 403
    event = sujin.verb(one, "open_incident", body).json()["event"]
    assert event["kind"] == "incident_opened"
    joined = minji.verb(two, "join_incident", {"incident": event["data"]["incident"]})
    assert joined.json()["event"]["kind"] == "incident_joined"
    assert minji.verb(two, "join_incident", {"incident": 2**40}).status_code == 404
    assert sujin.verb(two, "leave_incident", {"reason": "Another cause."}).status_code == 200
    odd = sujin.verb(two, "open_incident", {"words": "x", "common": {"shop": "no-such-shop"}})
    assert odd.status_code == 404


def test_endings_that_are_not_made_good(cast, call):
    minji, sujin = call(cast.minji), call(cast.sujin)
    case = stages.told(cast)
    early = minji.verb(case.number, "end_unconfirmed", {"seen": None})
    assert early.status_code == 422 and early.json()["code"] == "not_asked_enough"
    disagreed = {"text": "유감입니다.", "outside_route": "소비자원", "seen": case.version}
    assert (
        sujin.verb(case.number, "end_disagreed", disagreed).json()["event"]["data"]["ended_as"] == "disagreed"
    )
    assert (
        minji.verb(case.number, "reopen", {"why": "They wrote again."}).json()["event"]["kind"] == "reopened"
    )
    gone = minji.verb(case.number, "withdraw", {"words": "이제 괜찮아요", "seen": None})
    assert gone.json()["event"]["data"]["ended_as"] == "withdrawn"
    assert minji.verb(case.number, "revoke_link").status_code == 200


def test_asking_again_and_finding_wanting(cast, call):
    minji = call(cast.minji)
    case = stages.told(cast)
    with clock.travel(timedelta(hours=30)):
        body = {"next_word_at": soon(24), "channel": "phone", "note": "No answer.", "seen": case.version}
        assert minji.verb(case.number, "ask", body).json()["event"]["data"]["nth"] == 2
    fixed = stages.verified(cast)
    back = minji.verb(fixed.number, "find_wanting", {"what_was_seen": "It came back.", "seen": fixed.version})
    assert back.json()["event"]["kind"] == "not_verified"
    assert Case.objects.get(pk=fixed.pk).status == "working"


def test_close_refuses_with_the_first_blocker(cast, call, problem):
    case = stages.owned(cast)
    assert problem(call(cast.minji).verb(case.number, "close"), 422, "not_fixed")["field"] == "fix"


def test_the_shapes_name_only_what_the_desk_takes():
    actor = actors.system()
    for verb in VERBS:
        looked_up = (
            shapes.Triage,
            shapes.Assign,
            shapes.Merge,
            shapes.Link,
            shapes.Unlink,
            shapes.JoinIncident,
            shapes.OfferRemedy,
            shapes.DecideRemedy,
        )
        if verb.body in looked_up:
            continue  # these look things up first; the tests above drive them
        names = verb.fields(verb.body.model_construct(), actor).keys() if verb.body is shapes.Body else None
        taken = inspect.signature(verb.run).parameters.keys()
        names = (
            names
            or verb.fields(verb.body.model_construct(**dict.fromkeys(verb.body.model_fields)), actor).keys()
        )
        assert names <= taken, verb.name
