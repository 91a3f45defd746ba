"""Two screens: what one person does stands on the other's, without a reload, and never over half a sentence."""

from __future__ import annotations

import pytest

from makegood.desk import room_work, rooming, talking
from makegood.incidents.models import Room
from tests import cast as stages
from tests.web.live import served, signed_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
#: The mark of the page while its stream lives (live.js).
LIVE = "html[data-live]"


@pytest.fixture(scope="module")
def site(django_db_setup):
    with served() as found:
        yield found


@pytest.fixture
def screen(browser, site):
    """``screen(user, path)``: a fresh window, signed in, with its stream open."""
    opened = []

    def open_screen(user, path, live=True):
        context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(20_000)
        context.add_cookies([{"name": "sessionid", "value": signed_in(user).session_key, "url": site.url}])
        opened.append(context)
        page = context.new_page()
        page.goto(path)
        if live:
            page.wait_for_selector(LIVE, state="attached")
        return page

    yield open_screen
    for context in opened:
        context.close()


def test_the_sheet_changes_on_the_other_screen_and_who_looks_and_writes_is_seen(cast, screen):
    type(cast.hana).objects.update(language="en")
    case = stages.owned(cast)
    hana = screen(cast.hana, f"/cases/{case.number}/")
    sujin = screen(cast.sujin, f"/cases/{case.number}/")
    hana.wait_for_selector("#presence >> text=Sujin: viewing")
    sujin.fill("#form-reply textarea[name=text]", "We are looking into")
    hana.wait_for_selector("#presence >> text=Sujin: writing")

    talking.note(case, by=cast.by(cast.jun), text="The bank sent it back.")
    hana.wait_for_selector("#sheet >> text=The bank sent it back.")
    assert hana.get_attribute("#sheet", "data-version") == str(stages.fresh(case).version)
    sujin.wait_for_selector("#sheet >> text=The bank sent it back.")
    assert sujin.input_value("#form-reply textarea[name=text]") == "We are looking into"
    assert sujin.evaluate("document.activeElement.name") == "text", "the cursor stays where it was"
    drawn_from = sujin.get_attribute("#form-reply input[name=seen]", "value")
    assert drawn_from == str(case.version), "what she writes was written on what she had read then"
    sujin.wait_for_selector("#presence >> text=The case moved on while you were looking.")

    sujin.context.close()
    hana.wait_for_selector("#presence >> text=Sujin", state="detached")


def test_the_queue_changes_in_place_and_new_cases_are_announced_without_moving_anything(cast, screen):
    type(cast.hana).objects.update(language="en")
    first, second = stages.reported(cast), stages.reported(cast)
    page = screen(cast.hana, "/?view=open")
    page.wait_for_timeout(500)
    page.check(f"li[data-case='{second.number}'] input")
    order = [row.get_attribute("data-case") for row in page.query_selector_all("li[data-case]")]
    stages.take(first, by=cast.by(cast.minji), seen=None)
    new = stages.reported(cast)
    page.wait_for_selector(f"li[data-case='{first.number}'] >> text=Minji")
    page.wait_for_selector("#queue-new:not([hidden]) >> text=1")
    assert [row.get_attribute("data-case") for row in page.query_selector_all("li[data-case]")] == order
    assert page.is_checked(f"li[data-case='{second.number}'] input")
    page.click("#queue-new a")
    page.wait_for_selector(f"li[data-case='{new.number}']")


def test_a_line_in_the_room_and_the_number_of_notices_appear_by_themselves(cast, screen):
    type(cast.hana).objects.update(language="en")
    event = rooming.open_room(stages.answered(cast), by=cast.by(cast.sujin))
    room = Room.objects.get(pk=event.data["room"])
    page = screen(cast.hana, f"/rooms/{room.pk}/")
    page.fill("#say_text", "half a line")
    room_work.say(room, by=cast.by(cast.wei), text="I found the payment.")
    page.wait_for_selector("#room-chat >> text=I found the payment.")
    assert page.input_value("#say_text") == "half a line"
    page.wait_for_selector("#room-here >> text=Hana: writing")
    rooming.give_role(room, by=cast.by(cast.sujin), user=cast.hana, role="scribe")
    page.wait_for_selector("[data-unseen]:not([hidden]) >> text=1")


def test_a_screen_survives_a_restarted_server_and_a_browser_without_streams_asks(cast, screen, site):
    # After three tries in vain the page asks for a minute or so before it tries a stream again.
    type(cast.hana).objects.update(language="en")
    case = stages.owned(cast)
    hana = screen(cast.hana, f"/cases/{case.number}/")
    site.stop()
    hana.wait_for_selector(LIVE, state="detached")
    talking.note(case, by=cast.by(cast.jun), text="Written while nobody answered.")
    site.start()
    hana.wait_for_selector("#sheet >> text=Written while nobody answered.", timeout=150_000)

    old = screen(cast.sujin, "/me/", live=False)
    old.add_init_script("delete window.EventSource")
    old.goto(f"/cases/{case.number}/")
    talking.note(case, by=cast.by(cast.jun), text="One more.")
    old.wait_for_selector("#presence >> text=The case moved on while you were looking.")
