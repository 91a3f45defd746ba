"""A card number that somebody pastes is masked at every door; a named role reads it with a reason, once, and that is seen."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal, Stale
from makegood.cases.models import Case, CaseEvent, Confirmation, MaskedValue, Reveal, Tick, UrgencyEvidence
from makegood.conversations.models import Draft, Letter, Message, SearchEntry
from makegood.desk import (
    drafting,
    finding,
    fixing,
    handing,
    promising,
    revealing,
    talking,
    telling,
    triaging,
)
from makegood.desk.opening import Report, open_case
from makegood.desk.room_card import edit_card
from makegood.desk.room_work import give_task, say
from makegood.desk.rooming import open_room
from makegood.incidents.models import Room, RoomMessage
from makegood.people import actors
from tests import cast as stages
from tests.mail import post

pytestmark = pytest.mark.django_db
CARD = "4111 1111 1111 1111"
SHOWN = "•••• •••• •••• 1111"
WORDS = f"환불해 주세요. 제 카드 {CARD} 이고 cvc 987 입니다. 당장 안 되면 소비자원에 신고합니다."


def pasted(cast: stages.Cast) -> Case:
    """Jiwoo pasted her card number into her report."""
    case = stages.reported(cast, text=f"카드번호 {CARD} 로 결제했는데 두 번 나갔어요")
    return stages.fresh(case)


def everything_written() -> str:
    """Every text that the database holds, beside the vault."""
    from django.apps import apps

    found = []
    for model in apps.get_app_config("makegood").get_models():
        if model not in (MaskedValue,):
            found += [
                json.dumps(list(row), default=str, ensure_ascii=False)
                for row in model._default_manager.values_list()
            ]
    return "\n".join(found)


def test_a_report_holds_no_card_number_anywhere_but_in_the_vault(cast):
    case = stages.reported(cast, text=WORDS)
    message = Message.objects.get(case=case, author="customer")
    assert SHOWN in message.body and CARD not in message.body and "987" not in message.body
    assert SHOWN in stages.fresh(case).subject
    assert "4111 1111" not in everything_written() and " 987" not in everything_written()
    assert {m.kind for m in MaskedValue.objects.all()} == {"card", "code"}
    assert all(b"4111" not in bytes(m.sealed) for m in MaskedValue.objects.all())
    assert UrgencyEvidence.objects.filter(case=case, source="signal:threat.regulator").exists(), (
        "the rest is heard"
    )


def test_what_is_found_in_the_words_still_stands_at_its_place(cast):
    case = stages.reported(cast, text=f"카드 {CARD} 주문번호 HN-20261101 환불")
    message, reference = Message.objects.get(case=case), case.references.get(kind="order_no")
    assert message.body[reference.start : reference.end].endswith("HN-20261101") and SHOWN in message.body


def test_the_search_finds_neither_the_number_nor_a_piece_of_it(cast):
    case = pasted(cast)
    assert SearchEntry.objects.filter(case=case).exists()
    for text in ("4111111111111111", "4111 1111", "1111111111"):
        assert finding.find(cast.by(cast.minji), text).hits == []


@pytest.mark.parametrize(
    "door", ["note", "customer", "merchant", "answer", "fact", "tick", "confirm", "draft", "room"]
)
def test_every_door_masks(cast, door):
    case = stages.told(cast) if door == "confirm" else stages.owned(cast)
    minji = cast.by(cast.minji)
    if door == "note":
        talking.note(case, by=minji, text=CARD)
    elif door == "customer":
        talking.customer_writes(case, by=actors.customer(case.customer_id), text=CARD)
    elif door == "merchant":
        talking.merchant_says(case, by=cast.by(cast.kang), text=CARD)
    elif door == "answer":
        given = {"pii": "Her own card."}
        talking.reply(
            case, by=minji, seen=None, text=f"카드 {CARD}", next_word_at=stages.soon(), justified=given
        )
    elif door == "fact":
        triaging.note_fact(case, by=minji, text=f"Paid with {CARD}", source="customer_words", detail=CARD)
    elif door == "tick":
        item = next(i.code for i in __import__("makegood.packs").packs.playbook("refund.delay").items())
        triaging.tick(case, item, by=minji, answer=CARD)
        assert Tick.objects.get(case=case, item=item).answer == SHOWN
    elif door == "confirm":
        who = actors.customer(case.customer_id)
        telling.confirm(case, by=who, telling_id=case.tellings.get().pk, answer="partly", words=CARD)
        assert Confirmation.objects.get().words == SHOWN
    elif door == "draft":
        drafting.keep(case, cast.minji.pk, f"카드 {CARD}")
        assert Draft.objects.get().body == f"카드 {SHOWN}"
    else:
        open_room(case, by=cast.by(cast.sujin), background=CARD)
        room = Room.objects.get()
        say(room, by=minji, text=CARD)
        edit_card(room, by=minji, field="progress", n=0, text=CARD)
        assert RoomMessage.objects.get().body == SHOWN
    assert "4111 1111" not in everything_written()
    assert MaskedValue.objects.get(case=case, kind="card").shown == SHOWN, "the same number is kept once"


def test_a_letter_is_masked_with_its_html_quotation_and_subject(cast):
    box = post.box(cast.haneul)
    html = "<p>4111&nbsp;1111 <b>1111</b> 1111</p>"
    row = post.sent(box, post.letter(subject=f"card {CARD}", text=f"my card is {CARD}", html=html))
    assert row.outcome == Letter.Outcome.OPENED and "4111" not in row.subject
    message = Message.objects.get(case=row.case)
    assert "4111" not in message.body + message.html + message.quoted + row.case.subject
    assert MaskedValue.objects.filter(case=row.case, kind="card").count() == 1


def test_an_order_number_of_the_shop_that_looks_like_a_card_stays(cast):
    cast.order.number = "4111111111111111"
    cast.order.save(update_fields=["number"])
    case = stages.reported(cast, text="4111111111111111 언제 오나요")
    assert "4111111111111111" in Message.objects.get(case=case).body and not MaskedValue.objects.exists()


def test_a_named_role_reads_it_with_a_reason_and_everybody_sees_that(cast):
    case = pasted(cast)
    row, wei = case.masked.get(), cast.by(cast.wei)
    with pytest.raises(NotAllowed):
        revealing.reveal(case, row.pk, by=cast.by(cast.minji), reason="I want to")
    with pytest.raises(Refusal) as refused:
        revealing.reveal(case, row.pk, by=wei, reason=" ")
    assert refused.value.field == "reason" and not Reveal.objects.exists()
    event = revealing.reveal(case, row.pk, by=wei, reason="The bank asks for it")
    assert revealing.value_of(event, by=wei) == CARD
    assert event.data == {"masked": row.pk, "masked_as": "card"}, "the value is in no event"
    assert Reveal.objects.get().by == cast.wei
    with pytest.raises(NotThere):
        revealing.value_of(event, by=cast.by(cast.sujin))


def test_nobody_reads_a_value_of_another_case(cast):
    case, other = pasted(cast), stages.reported(cast, cast.alex, text="Where is it?")
    with pytest.raises(Refusal):
        revealing.reveal(other, case.masked.get().pk, by=cast.by(cast.sujin), reason="Wrong case")
    assert not Reveal.objects.exists()


def test_erased_it_is_gone_for_good_and_the_text_stays_masked(cast):
    case = pasted(cast)
    revealing.erase_masked(case, by=cast.by(cast.sujin), seen=None)
    row = case.masked.get()
    assert bytes(row.sealed) == b"" and row.erased_by == cast.sujin
    with pytest.raises(Refusal):
        revealing.reveal(case, row.pk, by=cast.by(cast.wei), reason="Too late")
    assert SHOWN in Message.objects.get(case=case).body


def test_the_page_shows_it_once_and_never_to_an_agent(cast, client):
    case = pasted(cast)
    sent = {"seen": case.version, "masked": case.masked.get().pk, "reason": "The bank asks"}
    client.force_login(cast.minji)
    assert "/reveal/" not in client.get(f"/cases/{case.number}/").content.decode()
    assert client.post(f"/cases/{case.number}/reveal/", sent).status_code == 403
    client.force_login(cast.wei)
    answer = client.post(f"/cases/{case.number}/reveal/", sent)
    assert answer.status_code == 200 and CARD in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    page = client.get(f"/cases/{case.number}/").content.decode()
    assert CARD not in page and "The bank asks" in page


def test_a_letters_source_with_a_card_is_saved_by_those_who_may_reveal(cast, client):
    row = post.sent(post.box(cast.haneul), post.letter(subject="card", text=f"my card is {CARD}"))
    client.force_login(cast.minji)
    assert client.get(f"/letters/{row.pk}/source/").status_code == 403
    assert CARD not in client.get(f"/letters/{row.pk}/").content.decode()
    client.force_login(cast.wei)
    assert CARD.encode() in client.get(f"/letters/{row.pk}/source/").content


def test_events_hold_no_value(cast):
    stages.reported(cast, text=WORDS)
    assert not CaseEvent.objects.filter(data__icontains="4111").exists()


def test_answers_to_the_first_questions_are_masked_too(cast):
    report = Report(text="두 번 결제됐어요", answers=(("when_paid", f"카드 {CARD}"),))
    case = open_case(cast.haneul, report, by=actors.customer(cast.jiwoo.pk), customer=cast.jiwoo).case
    assert Tick.objects.get(case=case).answer == f"카드 {SHOWN}"


# At the desk's door


def typed_by_minji(cast: stages.Cast) -> None:
    """Minji types the number wherever words are taken: she copies what she was told on the telephone."""
    words, by = f"고객 카드 {CARD} 로 결제", cast.by(cast.minji)
    case = stages.owned(cast)
    talking.note(case, by=by, text=words)
    talking.reply(case, by=by, seen=None, text=f"{words} 건을 확인하고 있습니다.", next_word_at=stages.soon())
    triaging.note_fact(case, by=by, text=words, source="customer_words", happened_at=clock.now())
    promising.promise(case, by=by, seen=None, what="other", due_at=stages.soon(), words=words)
    handing.hand_over(case, card_of(words), by=by, seen=None, team=cast.tech)
    handing.withdraw_handover(case, by=by, seen=None)
    open_room(case, by=cast.by(cast.sujin), background=words, ask=words)
    room = Room.objects.get(case=case)
    say(room, by=cast.by(cast.sujin), text=words)
    give_task(room, by=cast.by(cast.sujin), owner=cast.sujin, what=words, due_at=stages.soon())
    fixing.record_fix(case, by=by, seen=None, done=words, cause=words, remedy="refund")
    fixing.verify(
        case,
        by=cast.by(cast.wei),
        seen=None,
        proof="payment_record",
        what_was_seen=words,
        reference="4111111111111111",
    )


def card_of(words: str) -> handing.Card:
    """The card of a hand-over, each of its texts these words."""
    texts = {f.name: words for f in fields(handing.Card) if f.type == "str"}
    others = {f.name: stages.soon() for f in fields(handing.Card) if "datetime" in str(f.type)}
    return handing.Card(**texts, **others)  # type: ignore[arg-type]


def test_whatever_people_of_the_desk_type_is_masked_at_its_door(cast):
    typed_by_minji(cast)
    assert "4111 1111" not in everything_written()
    assert SHOWN in everything_written() and MaskedValue.objects.filter(kind="card").count() == 1
    assert "4111111111111111" in everything_written(), "the number of a record is what people need it for"


def test_a_refused_verb_keeps_nothing_of_it(cast):
    case = stages.owned(cast)
    with pytest.raises(Stale):
        talking.reply(
            case,
            by=cast.by(cast.minji),
            seen=case.version - 1,
            text=f"카드 {CARD}",
            next_word_at=stages.soon(),
        )
    assert not MaskedValue.objects.exists()
