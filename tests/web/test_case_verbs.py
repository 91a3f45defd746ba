"""Every verb of the case sheet by its page, with and without htmx; stale is 409, refused is 422, and words are kept."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from makegood.base import clock
from makegood.base.languages import speaking
from makegood.cases.models import Case
from makegood.conversations.models import Attachment, Draft, Message
from makegood.desk import clocks, incidents, joining, promising, snoozing, talking, telling, triaging
from makegood.incidents.models import Incident
from makegood.people import actors
from makegood.promises.ledger import next_word_due
from makegood.web.case_verbs import VERBS
from tests import cast as stages
from tests.desk.test_handing import offered
from tests.desk.test_handing import with_a_fact as facts_noted
from tests.desk.test_masked import pasted
from tests.desk.test_parties import asked, with_carrier
from tests.desk.test_security import looked_at_later, secret, stopped, stopping
from tests.remedies import stages as remedied

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
Data = Callable[[Any, Case], dict[str, Any]]


@pytest.fixture(autouse=True)
def helper_switched_on(settings):
    """Off by default; here every verb is offered. Nothing is asked: no worker runs."""
    settings.HELPER_URL, settings.HELPER_MODEL, settings.HELPER_SUMMARY = "http://127.0.0.1:9/v1", "m", True


def asked_three_times(cast: stages.Cast) -> Case:
    with clock.travel(timedelta(days=-12)):
        case = stages.told(cast)
    for days in (-8, -4):
        with clock.travel(timedelta(days=days)):
            telling.ask_again(case, by=cast.by(cast.minji), seen=None, next_word_at=stages.soon(20 * 24))
    return stages.fresh(case)


def promised(what: str) -> Any:
    def stage(cast: stages.Cast) -> Case:
        case = stages.owned(cast)
        promising.promise(
            case, by=cast.by(cast.minji), seen=None, what=what, due_at=stages.soon(), words="내일 보내 드림"
        )
        return stages.fresh(case)

    return stage


def asleep(cast: stages.Cast) -> Case:
    case = stages.answered(cast)
    snoozing.snooze(case, by=cast.by(cast.minji), seen=None, until=stages.soon(1), reason="Bank opens.")
    return stages.fresh(case)


def incident_of(cast: stages.Cast) -> Incident:
    """An incident on another case."""
    event = incidents.open_incident(stages.owned(cast), by=cast.by(cast.sujin), words="The bank is down.")
    return Incident.objects.get(pk=event.data["incident"])


def in_an_incident(cast: stages.Cast) -> Case:
    case = stages.owned(cast)
    incidents.join_incident(case, incident_of(cast), by=cast.by(cast.minji))
    return stages.fresh(case)


def waiting(cast: stages.Cast) -> Case:
    case = stages.answered(cast)
    from makegood.desk.handling import wait

    wait(case, by=cast.by(cast.minji), seen=None, waiting_for="customer")
    return stages.fresh(case)


def doubted(cast: stages.Cast) -> Case:
    case = stages.told(cast)
    who = actors.customer(case.customer_id)
    words = "감사하지만 아직 해결 안 됐어요"
    telling.confirm(case, by=who, telling_id=case.tellings.get().pk, answer="all_good", words=words)
    return stages.fresh(case)


def written_twice(cast: stages.Cast) -> Case:
    case = stages.owned(cast)
    talking.customer_writes(case, by=actors.customer(case.customer_id), text="쿠폰도 안 돼요")
    return stages.fresh(case)


def linked(cast: stages.Cast) -> Case:
    case = stages.owned(cast)
    joining.link(case, stages.reported(cast), by=cast.by(cast.minji), seen=None, relation="related")
    return stages.fresh(case)


def with_fact(cast: stages.Cast) -> Case:
    case = stages.owned(cast)
    triaging.note_fact(case, by=cast.by(cast.minji), text="Refunded.", source="payment_record")
    return stages.fresh(case)


def ago(days: int) -> str:
    """A moment so many days ago, as a form sends it."""
    return f"{clock.now() - timedelta(days=days):%Y-%m-%dT%H:%M}"


def with_clock(cast: stages.Cast) -> Case:
    case = stages.owned(cast)
    at = clock.now() - timedelta(days=1)
    clocks.start_clock(case, "kr.refund", at, "Scan.", by=cast.by(cast.minji), seen=None)
    return stages.fresh(case)


def clock_of(case: Case) -> int:
    return case.promises.get(what="legal", state="open").pk


def second(cast: stages.Cast, case: Case) -> Case:
    return stages.reported(cast, case.customer, text="또 문의드립니다")


def item(case: Case) -> str:
    from makegood.packs import playbook

    return playbook(case.type).questions[0].code


def ahead(days: float) -> str:
    """So many days ahead, as the browser of somebody in Seoul sends it."""
    return f"{(clock.now() + timedelta(days=days, hours=9)):%Y-%m-%dT%H:%M}"


def came_back(cast: stages.Cast) -> Case:
    case = stages.answered(cast)
    delivery = case.deliveries.get(what="reply")
    type(delivery).objects.filter(pk=delivery.pk).update(state="bounced", came_back_at=clock.now())
    return stages.fresh(case)


def word_of(case: Case) -> str:
    """The promised word, as the browser of somebody in Seoul sends it back."""
    return f"{next_word_due(case) + timedelta(hours=9):%Y-%m-%dT%H:%M}"


def with_payment(cast: stages.Cast) -> Case:
    remedied.paid(cast, connected=False)
    return remedied.case(cast)


def with_remedy(amount: int) -> Any:
    def stage(cast: stages.Cast) -> Case:
        remedied.paid(cast, amount, connected=False)
        case = remedied.case(cast)
        remedied.decided(cast, case, remedied.refund(amount))
        return stages.fresh(case)

    return stage


def with_lost_step(cast: stages.Cast) -> Case:
    """Sent, no answer, and looked up in vain as often as it takes."""
    case = with_remedy(39000)(cast)
    row = case.remedies.get()
    row.steps.create(
        case=case, n=1, action="refund", ours="mg-lost-0001", payment=row.payment, amount=39000, currency="KRW",
        state="unknown", sent_at=clock.now(), unknown_since=clock.now(), looked=5, look_at=clock.now() + timedelta(hours=1),
    )  # fmt: skip
    type(row).objects.filter(pk=row.pk).update(state="carrying")
    return case


def remedy_of(case: Case) -> int:
    return case.remedies.get().pk


CARD = {"customer_asks": "Her refund.", "tried": "Sent twice.", "asked": "Find why it is refused."}
WORD = {"text": "확인했습니다.", "next_word": "2h"}
#: verb -> (stage, who, what is sent, the event that must follow)
SENT: dict[str, tuple[Any, str, Data, str]] = {
    "reply": (stages.owned, "minji", lambda c, k: WORD, "replied"),
    "note": (stages.owned, "jun", lambda c, k: {"text": "Called the bank."}, "noted"),
    "answer_merchant": (stages.owned, "jun", lambda c, k: {"text": "승인 기록을 보내 주세요."}, "merchant_answered"),
    "ask_helper": (stages.owned, "minji", lambda c, k: {"what": "summary"}, "helper_asked"),
    "triage": (stages.reported, "minji", lambda c, k: {"type": "refund.delay", "orders_blocked": "2"}, "triaged"),
    "note_fact": (stages.owned, "minji", lambda c, k: {"text": "Paid.", "source": "payment_record"}, "fact_noted"),
    "strike_fact": (with_fact, "sujin", lambda c, k: {"fact": k.facts.get().pk, "because": "Wrong order."}, "fact_struck"),
    "tick": (stages.owned, "minji", lambda c, k: {"item": item(k), "done": "1", "answer": "3"}, "ticked"),
    "start_clock": (stages.owned, "minji", lambda c, k: {"rule": "kr.refund", "trigger_at": ago(5), "evidence": "Scan."}, "clock_started"),
    "correct_clock": (with_clock, "jun", lambda c, k: {"promise": clock_of(k), "trigger_at": ago(4), "evidence": "Letter."}, "clock_corrected"),
    "meet_clock": (with_clock, "minji", lambda c, k: {"promise": clock_of(k), "what_was_done": "Sent."}, "clock_met"),
    "send_again": (came_back, "minji", lambda c, k: {"delivery": k.deliveries.get(state="bounced").pk, "to": "jiwoo2@customer.example"}, "address_corrected"),
    "take": (stages.owned, "jun", lambda c, k: {}, "taken"),
    "assign": (stages.owned, "minji", lambda c, k: {"owner": c.jun.pk}, "assigned"),
    "acknowledge": (stages.owned, "minji", lambda c, k: {}, "acknowledged"),
    "expedite": (stages.owned, "minji", lambda c, k: {"who": c.wei.pk, "what": "Send it again.", "due_at": ahead(1)}, "expedited"),
    "hand_over": (facts_noted, "minji", lambda c, k: {**CARD, "team": c.tech.pk, "by_when": ahead(1)}, "handed_over"),
    "accept_handover": (offered, "wei", lambda c, k: {"restated": "I find why it is refused.", "next_word_at": word_of(k)}, "handover_accepted"),
    "refuse_handover": (offered, "wei", lambda c, k: {"reason": "It is the bank's."}, "handover_refused"),
    "withdraw_handover": (offered, "minji", lambda c, k: {}, "handover_withdrawn"),
    "offer_remedy": (with_payment, "minji", lambda c, k: {"give_refund": "on", "amount_refund": "39000", "until": ahead(2)}, "remedy_offered"),
    "decide_remedy": (with_payment, "minji", lambda c, k: {"kind": "refund", "amount": "39000", "reason": "late"}, "remedy_decided"),
    "carry_out": (with_remedy(39000), "minji", lambda c, k: {"remedy": remedy_of(k), "done_by_hand": "RF-1"}, "remedy_step_done"),
    "approve_remedy": (with_remedy(390000), "sujin", lambda c, k: {"remedy": remedy_of(k)}, "remedy_decided"),
    "refuse_approval": (with_remedy(390000), "sujin", lambda c, k: {"remedy": remedy_of(k), "reason": "Ask the warehouse first."}, "remedy_not_approved"),
    "withdraw_remedy": (with_remedy(39000), "minji", lambda c, k: {"remedy": remedy_of(k), "reason": "Another shop."}, "remedy_withdrawn"),
    "settle_by_hand": (with_lost_step, "sujin", lambda c, k: {"step": k.steps.get().pk, "happened": "yes", "record": "RF-9"}, "remedy_step_done"),
    "open_room": (stages.owned, "sujin", lambda c, k: {"background": "두 번 거절됨", "ask": "환불"}, "room_opened"),
    "open_incident": (stages.owned, "sujin", lambda c, k: {"words": "은행 장애", "same_shop": "on", "same_type": "on"}, "incident_opened"),
    "join_incident": (stages.owned, "minji", lambda c, k: {"incident": incident_of(c).pk}, "incident_joined"),
    "leave_incident": (in_an_incident, "sujin", lambda c, k: {"reason": "Another cause."}, "incident_left"),
    "wait": (stages.answered, "minji", lambda c, k: {"waiting_for": "customer"}, "waiting"),
    "go_on": (waiting, "minji", lambda c, k: {}, "work_went_on"),
    "promise": (stages.owned, "minji", lambda c, k: {"what": "call_back", "due_at": ahead(1), "to": "customer", "words": "내일 전화"}, "promised"),
    "record_call": (stages.owned, "minji", lambda c, k: {"reached": "on", "words": "She is calm.", "next_word": "2h"}, "called"),
    "keep_promise": (promised("other"), "minji", lambda c, k: {"promise": k.promises.get(what="other").pk, "proof": "Sent."}, "promise_kept"),
    "withdraw_promise": (promised("call_back"), "sujin", lambda c, k: {"promise": k.promises.get(what="call_back").pk, "reason": "She wrote."}, "promise_withdrawn"),
    "snooze": (stages.answered, "minji", lambda c, k: {"until": ahead(1), "reason": "Bank opens.", "next_word_at": ahead(2)}, "snoozed"),
    "wake": (asleep, "minji", lambda c, k: {}, "woken"),
    "raise_urgency": (stages.owned, "jun", lambda c, k: {"level": 5, "reason": "A wedding."}, "urgency_raised"),
    "lower_urgency": (stages.owned, "sujin", lambda c, k: {"level": 2, "reason": "Solved.", "evidence": "Call."}, "urgency_lowered"),
    "fix": (stages.owned, "minji", lambda c, k: {"done": "Sent.", "cause": "Bank.", "remedy": "refund"}, "fixed"),
    "verify": (stages.fixed, "wei", lambda c, k: {"proof": "payment_record", "what_was_seen": "Left."}, "verified"),
    "find_wanting": (stages.fixed, "wei", lambda c, k: {"what_was_seen": "Nothing left."}, "not_verified"),
    "tell": (stages.verified, "minji", lambda c, k: WORD, "told"),
    "ask": (stages.told, "minji", lambda c, k: {"channel": "phone", "note": "No answer.", "next_word": "noon"}, "asked"),
    "record_confirmation": (stages.told, "sujin", lambda c, k: {"answer": "all_good", "words": "네, 들어왔어요", "channel": "phone"}, "confirmed"),
    "close": (doubted, "minji", lambda c, k: {}, "closed"),
    "reopen": (stages.made_good, "minji", lambda c, k: {"why": "The money came back."}, "reopened"),
    "end_unconfirmed": (asked_three_times, "minji", lambda c, k: {}, "ended"),
    "end_disagreed": (stages.owned, "sujin", lambda c, k: {"text": "의견이 다릅니다.", "outside_route": "1372"}, "ended"),
    "withdraw": (stages.owned, "minji", lambda c, k: {"words": "괜찮아요, 취소할게요"}, "ended"),
    "link": (stages.owned, "minji", lambda c, k: {"other": second(c, k).number, "relation": "related"}, "linked"),
    "unlink": (linked, "minji", lambda c, k: {"other": k.relations.get().other.number}, "unlinked"),
    "merge": (stages.owned, "minji", lambda c, k: {"other": second(c, k).number}, "ended"),
    "split": (written_twice, "minji", lambda c, k: {"subject": "쿠폰", "messages": [k.messages.filter(author="customer").last().pk]}, "split_off"),
    "ask_party": (with_carrier, "minji", lambda c, k: {"party": k.shop.parties.get().pk, "what": "Find it.", "due_at": ahead(1)}, "party_asked"),
    "chase_party": (asked, "jun", lambda c, k: {"ask": k.party_asks.get().pk}, "party_chased"),
    "withdraw_party_ask": (asked, "minji", lambda c, k: {"ask": k.party_asks.get().pk, "reason": "It came."}, "party_ask_withdrawn"),
    "freeze": (secret, "sujin", lambda c, k: {"what_to_stop": "account", "why": "It is not her."}, "freeze_asked"),
    "frozen": (stopping, "sujin", lambda c, k: {"freeze": k.freezes.get().pk, "proof": "Admin, 10:31."}, "frozen"),
    "release": (stopped, "sujin", lambda c, k: {"freeze": k.freezes.get().pk, "reason": "New password."}, "released"),
    "confirm_leak": (secret, "sujin", lambda c, k: {"known_at": ago(1), "evidence": "A list on a forum."}, "leak_confirmed"),
    "check_security": (looked_at_later, "sujin", lambda c, k: {"secure": "yes", "words": "No strange sign-in."}, "security_checked"),
    "reveal": (pasted, "wei", lambda c, k: {"masked": k.masked.get().pk, "reason": "The bank asks."}, "revealed"),
    "erase_masked": (pasted, "sujin", lambda c, k: {}, "masked_erased"),
    "share_link": (stages.owned, "minji", lambda c, k: {}, "link_shared"),
    "revoke_link": (stages.owned, "minji", lambda c, k: {}, "link_revoked"),
}  # fmt: skip
FOLLOWED = {"record_confirmation": 2, "carry_out": 2, "settle_by_hand": 2, "confirm_leak": 2}


def post(client: Client, case: Case, verb: str, data: dict[str, Any], **more: Any) -> Any:
    return client.post(f"/cases/{case.number}/{verb}/", {"seen": case.version, **data}, **more)


def test_no_verb_is_forgotten():
    assert set(SENT) == set(VERBS)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("verb", SENT)
def test_staff_do_every_verb_by_its_page(cast, client, verb, headers):
    stage, name, data, event = SENT[verb]
    case = stage(cast)
    if verb == "ask":  # the first ask came with the telling: give the customer a day
        asked = case.asks.get()
        type(asked).objects.filter(pk=asked.pk).update(at=asked.at - timedelta(days=1))
    sent = data(cast, case)
    client.force_login(getattr(cast, name))
    offered = client.get(f"/cases/{case.number}/").content.decode()
    assert f"/cases/{case.number}/{verb}/" in offered
    answer = post(client, case, verb, sent, headers=headers)
    kinds = [e.kind for e in case.events.filter(seq__gt=case.version)]
    assert kinds[0] == event and len(kinds) == FOLLOWED.get(verb, 1)
    if verb == "merge":
        address = answer.headers.get("HX-Redirect") or answer.headers.get("Location")
        assert address == f"/cases/{sent['other']}/"
    elif headers or verb == "reveal":  # what is shown once is behind no address
        assert answer.status_code == 200
        if not headers:
            return
        assert answer.content.decode().lstrip().startswith('<div id="sheet"')
    else:
        assert answer.status_code == 303 and answer.url.startswith(f"/cases/{case.number}/")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_who_was_slower_keeps_the_draft_and_sees_what_changed(cast, client, headers):
    case = stages.owned(cast)
    talking.note(case, by=cast.by(cast.sujin), text="Bank called.")
    client.force_login(cast.minji)
    answer = post(
        client, case, "reply", {"text": "<b>거의 다 썼는데</b>", "next_word": "30m"}, headers=headers
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'id="changed"' in page and 'data-kind="noted"' in page and "Sujin" in page
    assert "&lt;b&gt;거의 다 썼는데&lt;/b&gt;</textarea>" in page
    assert f'name="seen" value="{case.version + 1}"' in page
    assert 'value="30m" checked' in page
    assert Draft.objects.get(case=case, user=cast.minji).body == "<b>거의 다 썼는데</b>"
    assert not Message.objects.filter(case=case, author="staff", audience="customer").exists()


def test_sent_again_after_reading_what_changed_it_goes(cast, client):
    case = stages.owned(cast)
    talking.note(case, by=cast.by(cast.sujin), text="Bank called.")
    client.force_login(cast.minji)
    assert post(client, case, "reply", WORD).status_code == 409
    assert post(client, stages.fresh(case), "reply", WORD).status_code == 303
    assert not Draft.objects.filter(case=case).exists()


#: verb -> (stage, who, what is sent, the control beside which the reason stands)
REFUSED: dict[str, tuple[Any, str, dict[str, Any], str]] = {
    "reply": (stages.owned, "minji", {"text": "", "next_word": "2h"}, "text"),
    "tell": (stages.verified, "minji", {"text": "고쳤어요", "next_word_at": "2020-01-01T10:00"}, "next_word_at"),
    "triage": (stages.reported, "minji", {"type": "refund.delay", "money_lost": "-3"}, "money_lost"),
    "start_clock": (stages.owned, "minji", {"rule": "kr.refund", "trigger_at": "2999-01-01T10:00", "evidence": "Scan."}, "trigger_at"),
    "verify": (stages.fixed, "minji", {"proof": "payment_record", "what_was_seen": "Left."}, "reference"),
    "find_wanting": (stages.fixed, "wei", {"what_was_seen": " "}, "what_was_seen"),
    "wait": (stages.owned, "minji", {"waiting_for": "customer"}, "waiting_for"),
    "assign": (stages.owned, "minji", {}, "owner"),
    "merge": (stages.owned, "minji", {"other": 999}, "other"),
    "split": (stages.owned, "minji", {"subject": "x"}, "messages"),
    "note_fact": (stages.owned, "minji", {"text": "x", "source": "other", "happened_at": "2099-01-01T10:00"}, "happened_at"),
    "promise": (stages.owned, "minji", {"what": "other", "due_at": "2020-01-01T10:00", "to": "customer", "words": "x"}, "due_at"),
    "record_call": (stages.owned, "minji", {"reached": "on", "words": "x", "next_word": "never"}, "next_word_at"),
    "snooze": (stages.answered, "minji", {"until": "2020-01-01T10:00", "reason": "x"}, "until"),
    "record_confirmation": (stages.told, "sujin", {"answer": "", "words": "네", "channel": "phone"}, "answer"),
}  # fmt: skip


@pytest.mark.parametrize("verb", REFUSED)
def test_a_refusal_stands_beside_its_control_and_nothing_happened(cast, client, verb):
    stage, name, sent, field = REFUSED[verb]
    case = stage(cast)
    client.force_login(getattr(cast, name))
    answer = post(client, case, verb, sent, headers=HTMX)
    form = answer.context["tried"]
    assert answer.status_code == 422
    assert list(form.errors) == [field]
    drawn = html.unescape(answer.content.decode()).split(f'id="form-{verb}"')[1].split("</form>")[0]
    with speaking(getattr(cast, name).language):
        assert str(form.errors[field][0]) in drawn
    assert stages.fresh(case).version == case.version


def test_without_a_time_for_the_next_word_nothing_is_sent(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.minji)
    answer = post(client, case, "reply", {"text": "곧 알려 드릴게요", "next_word": "never"})
    assert answer.status_code == 422 and list(answer.context["tried"].errors) == ["next_word_at"]
    assert "곧 알려 드릴게요</textarea>" in answer.content.decode()


def test_the_exact_time_is_read_in_the_agents_zone(cast, client):
    cast.minji.zone = "Asia/Shanghai"
    cast.minji.save(update_fields=["zone"])
    case = stages.owned(cast)
    ahead = (clock.now() + timedelta(days=2)).replace(hour=6, minute=30)
    client.force_login(cast.minji)
    post(client, case, "reply", {"text": "네", "next_word": "30m", "next_word_at": f"{ahead:%Y-%m-%d}T14:30"})
    assert case.promises.get(state="open", what="next_word").due_at == ahead.replace(second=0, microsecond=0)


def test_a_file_that_is_too_large_is_named_and_the_words_stay(cast, client, settings):
    settings.ATTACHMENT_BYTES = 10
    case = stages.owned(cast)
    client.force_login(cast.minji)
    files = [SimpleUploadedFile("small.txt", b"x"), SimpleUploadedFile("<i>large.txt", b"x" * 11)]
    answer = post(client, case, "note", {"text": "See the files.", "files": files})
    page = answer.content.decode()
    assert answer.status_code == 422 and "&lt;i&gt;large.txt" in page and "<i>large" not in page
    assert "See the files.</textarea>" in page
    assert not Attachment.objects.exists()


def test_several_files_come_with_one_note(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.minji)
    files = [SimpleUploadedFile("a.txt", b"a"), SimpleUploadedFile("b.txt", b"b")]
    assert post(client, case, "note", {"text": "", "files": files}).status_code == 303
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["a.txt", "b.txt"]


def test_an_agent_may_not_lower_and_is_told_so(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.jun)
    assert "lower_urgency" not in client.get(f"/cases/{case.number}/").content.decode()
    answer = post(client, case, "lower_urgency", {"level": 1, "reason": "x", "evidence": "y"})
    assert answer.status_code == 403 and stages.fresh(case).urgency == case.urgency


def test_a_form_of_a_case_that_was_merged_meanwhile_is_stale(cast, client):
    case = stages.owned(cast)
    into = second(cast, case)
    joining.merge(case, into, by=cast.by(cast.sujin), seen=None)
    client.force_login(cast.minji)
    answer = client.post(f"/cases/{case.number}/reply/", {"seen": stages.fresh(into).version, **WORD})
    page = answer.content.decode()
    assert answer.status_code == 409 and 'data-kind="absorbed"' in page and WORD["text"] in page


def test_a_refused_page_that_is_loaded_again_leads_to_the_sheet(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.minji)
    assert client.get(f"/cases/{case.number}/reply/").url == f"/cases/{case.number}/"


def test_the_new_link_is_shown_to_who_made_it_and_only_then(cast, client):
    case = stages.owned(cast)
    client.force_login(cast.minji)
    answer = post(client, case, "share_link", {})
    assert "/c/" in client.get(answer.url).content.decode()
    assert "/c/" not in client.get(f"/cases/{case.number}/").content.decode()
    client.force_login(cast.jun)
    assert "/c/" not in client.get(answer.url).content.decode()
