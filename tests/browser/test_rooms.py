"""A war room on the screen of somebody who is writing while others are."""

from __future__ import annotations

import pytest

from makegood.desk import room_card, room_work, rooming
from makegood.incidents.models import Room
from tests import cast as stages

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_half_a_sentence_survives_what_others_write_and_both_texts_are_shown(window):
    cast = stages.assemble()
    event = rooming.open_room(stages.answered(cast), by=cast.by(cast.sujin))
    room = Room.objects.get(pk=event.data["room"])
    page = window("en", cast.hana, viewport={"width": 390, "height": 844})
    page.goto(f"/rooms/{room.pk}/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over the edge"
    page.click("#verb-card-blocker summary")
    page.fill("#card-blocker_text", "Hana's half sentence")
    page.fill("#say_text", "half a line")

    room_card.edit_card(room, by=cast.by(cast.jun), field="blocker", n=0, text="The bank is shut.")
    room_work.say(room, by=cast.by(cast.wei), text="I found the payment.")
    page.wait_for_selector("text=I found the payment.")
    assert "The bank is shut." in page.inner_text("#text-blocker")
    assert page.input_value("#card-blocker_text") == "Hana's half sentence"
    assert page.input_value("#say_text") == "half a line"

    page.click("#verb-card-blocker button")
    page.wait_for_selector(".both")
    assert page.inner_text(".theirs") == "The bank is shut."
    assert page.input_value("#card-blocker_text") == "Hana's half sentence"
    assert page.input_value("#say_text") == "half a line"
    page.fill("#card-blocker_text", "The bank is shut. Hana has a key.")
    page.click("#verb-card-blocker button")
    page.wait_for_selector(".both", state="detached")
    assert page.inner_text("#text-blocker").startswith("The bank is shut. Hana has a key.")
    page.click("#verb-say button")
    page.wait_for_selector("#room-chat >> text=half a line")
    assert page.input_value("#say_text") == ""
