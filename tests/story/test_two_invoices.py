"""Mission D, played through the real pages with the clock moved: two electronic invoices, three contacts, 'we will expedite'.

Alex asked for two invoices. The later, small one came in five minutes; the earlier, large one is stuck. What a large
company did with him in the account that this product is built from must not be possible here. At the end the minutes of
each hop are printed (``pytest -s``) and asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from makegood.base import clock
from makegood.cases.models import Case, CaseEvent, Notice
from makegood.conversations.models import Message
from makegood.escalation.models import Handover
from makegood.incidents.models import Room, Task
from makegood.insight import travel
from makegood.jobs.sweep import tick
from makegood.people.models import User
from makegood.promises.ledger import next_word_due
from makegood.promises.models import Promise
from tests import cast as stages
from tests.cast import fresh

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 24, 0, tzinfo=UTC)  # a Tuesday, 09:00 in Seoul
FIRST = (
    "I asked for two electronic invoices this morning. The later one, 12,000 won, came after five minutes. "
    "The earlier one, 38,000,000 won, has not been issued after five hours."
)
SECOND = "This is the second time I write. Our books close today and the large invoice is still missing."
THIRD = "Third time. Nobody tells me anything but to wait. I will complain to the consumer agency."
COMFORT = "We will expedite it, please wait."


@contextmanager
def at(minutes: float) -> Iterator[None]:
    with clock.travel(NINE + timedelta(minutes=minutes)):
        tick()  # the worker runs all the time
        yield


def seoul(moment: datetime) -> str:
    """A moment as the browser of somebody in Seoul sends it."""
    return f"{moment + timedelta(hours=9):%Y-%m-%dT%H:%M}"


def ahead(minutes: float) -> str:
    return seoul(clock.now() + timedelta(minutes=minutes))


def test_two_invoices_three_contacts_and_no_we_will_expedite(client: Client, capsys: Any) -> None:
    with at(0):
        cast = stages.assemble()
    User.objects.update(language="en")

    def press(user: User, verb: str, /, expect: int = 302, **data: Any) -> str:
        """The form of a verb on the sheet, sent as a person sends it; the page that comes back when it is refused."""
        client.force_login(user)
        now = fresh(case)
        answer = client.post(f"/cases/{case.number}/{verb}/", {"seen": now.version, **data})
        assert answer.status_code in ((302, 303) if expect == 302 else (expect,)), answer.content.decode()[
            -3000:
        ]
        return answer.content.decode()

    def look(who: User, address: str) -> str:
        client.force_login(who)
        answer = client.get(address)
        assert answer.status_code == 200, address
        return answer.content.decode()

    def in_room(user: User, verb: str, /, **data: Any) -> None:
        client.force_login(user)
        answer = client.post(f"/rooms/{room.pk}/{verb}/", data)
        assert answer.status_code == 303, answer.content.decode()[-3000:]

    # 09:00. The first contact, on the shop's report form.
    customer = Client()
    with at(0):
        sent = {"text": FIRST, "type": "invoice.request", "name": "Alex", "email": "alex2@customer.example"}
        answer = customer.post("/report/haneul/", sent, headers={"accept-language": "en"})
        assert answer.status_code in (302, 303), answer.content.decode()[-3000:]
        own = answer.url.split("thanks")[0]
        case = Case.objects.get(customer__email="alex2@customer.example")

    # 09:10. Minji sorts it, takes it, and notes what is so. The comforting button is not there.
    with at(10):
        assert str(case.number) in look(cast.minji, "/?view=open")
        press(cast.minji, "triage", type="invoice.request", asked_remedy="reissue_invoice")
        press(cast.minji, "take")
        press(
            cast.minji, "note_fact", text="The later invoice was issued after 5 minutes.", source="system_log"
        )
        press(
            cast.minji,
            "note_fact",
            text="The earlier one was overtaken and has no result.",
            source="system_log",
        )
        client.force_login(cast.minji)
        checked = client.post(f"/cases/{case.number}/check/", {"text": COMFORT, "verb": "reply"})
        assert "Wait, but until when?" in checked.content.decode()
        refused = press(cast.minji, "expedite", expect=422, who="", what=COMFORT, due_at="")
        assert "Say who does it" in refused.replace("&#x27;", "'")
        assert not CaseEvent.objects.filter(case=case, kind__in=["expedited", "replied"]).exists()
    before = fresh(case)

    # 10:00 and 10:40. The second contact is a signal; the third moves the case up by itself.
    for minutes, words in ((60, SECOND), (100, THIRD)):
        with at(minutes):
            assert customer.post(f"{own}say/", {"text": words}).status_code in (302, 303)
    climbs = CaseEvent.objects.filter(case=case, kind="climbed", data__why="contact")
    assert climbs.count() == 2
    assert Notice.objects.filter(case=case, user=cast.sujin, kind="climbed").exists(), (
        "the lead hears, unasked"
    )
    risen = fresh(case)
    assert risen.urgency >= 4 > before.urgency, "a third contact moves it up by itself"

    # 10:45. An honest word with a time, and the hand-over with its whole card.
    with at(105):
        press(
            cast.minji, "reply", next_word="2h",
            text="Your earlier invoice is stuck in the invoice system; the later one overtook it. The technology "
            "specialists look at it now, and I write to you again within two hours with what they found.",
        )  # fmt: skip
        press(
            cast.minji, "hand_over", team=cast.tech.pk, by_when=ahead(120),
            customer_asks="The invoice over 38,000,000 won, today.",
            tried="Read the log: the request was accepted at 08:55 and never answered.",
            asked="Find where the request is stuck and issue it.",
        )  # fmt: skip
        assert fresh(case).owner == cast.minji, "until somebody restated it, Minji owns it"

    # 10:55. Wei finds it in his queue, with the time that is left; copying the ask is not to accept.
    with at(115):
        page = look(cast.wei, "/?view=offered")
        assert (
            str(case.number) in page
            and "Accept by" in page
            and "Offered to me" in look(cast.wei, "/notices/")
        )
        sheet = look(cast.wei, f"/cases/{case.number}/")
        assert "The invoice over 38,000,000 won, today." in sheet and "Third time." in sheet
        word = {"next_word_at": seoul(next_word_due(fresh(case)))}
        press(
            cast.wei, "accept_handover", expect=422, restated="Find where the request is stuck and issue it.", **word
        )  # fmt: skip
        press(
            cast.wei, "accept_handover", restated="I find the stuck request and tell Alex before one.", **word
        )
    now = fresh(case)
    assert (now.owner, now.team) == (cast.wei, cast.tech)
    assert now.urgency >= risen.urgency and now.asked_remedy == "reissue_invoice"
    carried = Handover.objects.get(case=case).carried
    assert carried["level"] == risen.urgency and carried["quotes"] >= 1 and carried["facts"] == 2
    page = customer.get(own).content.decode()
    assert "Wei" in page and "Technology" in page, "Alex reads who has it, and need not tell it again"

    # 11:00. To expedite names who does what by when; Sujin opens the room.
    with at(120):
        press(
            cast.wei,
            "expedite",
            who=cast.wei.pk,
            what="Restart the issuing job for the stuck request.",
            due_at=ahead(45),
        )
        hurried = Promise.objects.get(case=case, to="staff")
        assert hurried.by == cast.wei
        press(
            cast.sujin,
            "open_room",
            background="The invoice system hangs since 08:50.",
            ask="Issue the large one.",
        )
        room = Room.objects.get(case=case)
        in_room(cast.wei, "card", field="blocker", n=0, text="The queue of the tax office is stuck.")
        in_room(
            cast.sujin, "task", owner=cast.jun.pk, what="Look whether others hang, too.", due_at=ahead(60)
        )

    # 11:30. Found, mended, and looked at by somebody else.
    with at(150):
        in_room(
            cast.jun,
            "finish",
            task=Task.objects.get(room=room).pk,
            words="Eleven more hung; all are through.",
        )
        in_room(cast.wei, "card", field="progress", n=0, text="Restarted; the invoice is out.")
        press(cast.wei, "keep_promise", promise=hurried.pk, proof="Restarted at 11:28.")
        press(
            cast.wei, "fix", done="Restarted the issuing job.", cause="Queue stuck.", remedy="reissue_invoice"
        )
        press(
            cast.wei, "tell", expect=422, text="Your invoice is issued.", next_word="2h"
        )  # nobody verified it
    with at(160):
        press(cast.jun, "verify", proof="payment_record", what_was_seen="Approval number 20261124-41000012.")
    with at(165):
        press(
            cast.wei, "tell", next_word="noon",
            text="Your invoice over 38,000,000 won was issued at 11:28; the issuing queue was stuck and is running "
            "again. A colleague checked its approval number. Please tell us whether you have it.",
        )  # fmt: skip
    assert fresh(case).is_open, "told is not closed"

    # 12:40. Alex's own word, and only that, closes it; then thanks and the review.
    with at(220):
        telling = fresh(case).tellings.get().pk
        customer.post(
            f"{own}confirm/", {"telling": telling, "answer": "all_good", "words": "I have it, thank you."}
        )
    ended = fresh(case)
    assert (ended.status, ended.ended_as) == ("ended", "made_good")
    with at(230):
        for who in (cast.wei, cast.jun):
            in_room(cast.sujin, "thank", to=who.pk, words="You found it in half an hour.")
        in_room(cast.sujin, "close", review_at=ahead(2 * 24 * 60))
        assert Notice.objects.filter(user=cast.wei, kind="room_thanks").exists()
    room.refresh_from_db()
    assert not room.is_open and room.review_at is not None

    # Where the minutes went.
    with at(231):
        legs = travel.of_case(fresh(case))
        page = look(cast.sujin, f"/cases/{case.number}/")
    assert "Technology" in page
    [leg] = legs
    assert (leg.giver, leg.receiver, leg.touched, leg.late) == ("Front line", "Technology", True, False)
    assert leg.wait == timedelta(minutes=5) and leg.carried == carried
    offer = Handover.objects.get(case=case)
    spoken = Message.objects.filter(case=case, audience="customer").exclude(author="system").order_by("at")
    with capsys.disabled():
        print(f"\ncase {case.number}: told in 3 contacts, made good after 220 minutes")
        print(f"  with Front line until offered: {(offer.given_at - NINE).total_seconds() / 60:.0f} min")
        print(
            f"  offered until accepted:        {(offer.answered_at - offer.given_at).total_seconds() / 60:.0f} min"
        )
        print(
            f"  accepted until first touch:    {leg.wait.total_seconds() / 60:.0f} min (demanded {leg.demanded})"
        )
        for message in spoken:
            print(
                f"  {(message.at - NINE).total_seconds() / 60:4.0f} min  {message.author}: {message.body[:60]}"
            )
