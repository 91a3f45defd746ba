"""The whole loop in a real browser, in each language: reported by the customer, closed by the customer's own word."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from makegood.cases.models import Case
from makegood.people.models import User
from tests import cast as stages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("MAKEGOOD_PICTURES", "")
SAID = {
    "ko": ("환불이 완료되었습니다. 11월 3일에 카드사로 전송했습니다.", "네, 잘 들어왔습니다. 감사합니다."),
    "zh-hans": ("退款已经原路退回，请您查收。", "收到了，谢谢。"),
    "en": ("Your refund left us on the 3rd; please have a look.", "It is there, thank you."),
}
#: What Minji can say before anybody has checked it: that it is done would need a reason.
FOUND = {
    "ko": "환불 기록을 찾았고 은행에 확인하고 있습니다.",
    "zh-hans": "已查到您的退款记录，正在向银行核实。",
    "en": "We found the record of your refund and are asking the bank about it.",
}


#: Those that the README shows: ``MAKEGOOD_PICTURES=docs/pictures bin/test tests/browser`` takes them anew.
KEPT = {"case-en", "queue-ko", "confirm-zh-hans"}


def picture(page: Page, name: str) -> None:
    """Keep a picture for the README where MAKEGOOD_PICTURES names a folder."""
    if PICTURES and name in KEPT:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=False)


def press(page: Page, verb: str, **fields: str) -> None:
    """Fill a verb's form on the case sheet as a person does, and wait until the sheet was drawn anew."""
    form = page.locator(f"#form-{verb}").first
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for name, value in fields.items():
        control = form.locator(f"[name={name}]").first
        if control.evaluate("e => e.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)
    with page.expect_response(lambda r: r.request.method == "POST" and f"/{verb}/" in r.url) as answer:
        form.locator(f"#press-{verb}").click()
    assert answer.value.status < 400, f"{verb}: {answer.value.status}"
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_the_whole_loop(language: str, window: Callable[..., Page]) -> None:
    cast = stages.assemble()
    for customer_of in (cast.jiwoo, cast.lina, cast.alex):  # so that the queue is not empty
        stages.reported(cast, customer=customer_of)
    stages.told(cast)
    User.objects.update(language=language)
    shop = cast.moon if language == "zh-hans" else cast.haneul
    told, thanks = SAID[language]

    customer = window(language)
    customer.goto(f"/report/{shop.code}/")
    expect(customer.locator("html")).to_have_attribute("lang", language)
    customer.fill("[name=text]", stages.WORDS[language])
    customer.select_option("[name=type]", "refund.delay")
    customer.fill("[name=name]", "Jiwoo Kim")
    customer.fill("[name=email]", f"jiwoo-{language}@customer.example")
    customer.locator("main form").first.locator("button.primary").click()
    customer.wait_for_url("**/c/**")
    case = Case.objects.get(customer__email=f"jiwoo-{language}@customer.example")
    assert case.language == language and str(case.number) in customer.content()
    own_page = customer.url.split("thanks")[0]

    desk = window(language, cast.minji, viewport={"width": 1280, "height": 900})
    expect(desk.locator("html")).to_have_attribute("lang", language)
    desk.goto("/?view=open")
    picture(desk, f"queue-{language}")
    desk.locator(f"a[href='/cases/{case.number}/']").first.click()
    press(desk, "triage", type="refund.delay")
    press(desk, "take")
    press(desk, "reply", text=FOUND[language])
    desk.goto(f"/cases/{case.number}/")
    picture(desk, f"case-{language}")
    press(desk, "fix", done=told, cause="Bank", remedy="refund")

    customer.goto(own_page)
    assert "Minji" in customer.content(), "the customer sees who has it"

    second = window(language, cast.wei)
    second.goto(f"/cases/{case.number}/")
    press(second, "verify", proof="payment_record", what_was_seen="seen")
    desk.goto(f"/cases/{case.number}/")
    press(desk, "tell", text=told)

    # A link scanner fetches the page (and more than once): nothing happens.
    before = stages.fresh(case).version
    for _ in range(2):
        customer.goto(own_page)
    assert stages.fresh(case).version == before
    customer.check("[name=answer][value=all_good]")
    customer.fill("#confirm [name=words]", thanks)
    picture(customer, f"confirm-{language}")
    customer.locator("#confirm button").click()
    customer.wait_for_load_state("networkidle")

    case = stages.fresh(case)
    assert (case.status, case.ended_as) == ("ended", "made_good")
    assert case.closure.confirmation.words == thanks and case.closure.confirmation.written_by is None
    desk.goto(f"/cases/{case.number}/")
    assert thanks in desk.content()
