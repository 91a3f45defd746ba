"""Each way in which a pack can be wrong is named with file, place and reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from makegood.packs import PackError, check_all, playbook, taxonomy
from makegood.packs.__main__ import main

if TYPE_CHECKING:
    from tests.packs.conftest import Spoil

PRODUCT = "playbooks/product.toml"
INFO = 'type = "product.info"'
INVOLVE = 'involve = ["merchant"]'
CAUSE = '{ code = "misread", responsibility = "customer"'
STEP = '{ currency = "KRW", at_least = 300000, level = 4 }'

WRONG = [
    # file, what is replaced, by what, a part of the place, a part of the reason
    ("taxonomy.toml", 'code = "refund", ko = "환불", ', 'code = "refund", ', "remedy[refund]", "'ko' is missing"),
    ("taxonomy.toml", 'zh = "退款"', 'zh = " "', "remedy[refund]", "'zh' is missing or empty"),
    ("taxonomy.toml", 'en = "Refund"', "en = 5", "remedy[refund]", "'en' is missing or empty"),
    ("taxonomy.toml", 'family = "product"', 'family = "goods"', "type[product.info]", "no family has the code 'goods'"),
    ("taxonomy.toml", 'kind = "mistake"', 'kind = "error"', "type[product.info]", "no kind has the code 'error'"),
    ("taxonomy.toml", "urgency = 1", "urgency = 6", "type[product.info]", "level from 1 to 5, not 6"),
    ("taxonomy.toml", "urgency = 1", "urgency = true", "type[product.info]", "whole number from 1 to 5"),
    ("taxonomy.toml", "urgency = 1\n", "", "type[product.info]", "'urgency' is missing"),
    ("taxonomy.toml", "urgency = 1", "urgent = 1", "type[product.info]", "unknown key 'urgent'"),
    ("taxonomy.toml", 'code = "apology"', 'code = "refund"', "remedy", "'apology' is missing"),
    ("taxonomy.toml", '{ code = "apology"', '{ code = "refund", ko = "a", zh = "b", en = "c" },\n  { code = "apology"', "remedy[refund]", "given twice"),
    ("taxonomy.toml", '{ code = "apology"', '{ code = "Say Sorry", ko = "a", zh = "b", en = "c" },\n  { code = "apology"', "remedy[Say Sorry]", "is not a code"),
    ("taxonomy.toml", "family = [", "family = [ 7,", "family[number 1]", "must be a table"),
    ("sources.toml", 'code = "second_person"', 'code = "other_person"', "proof", "'second_person' is missing"),
    (PRODUCT, INFO, 'type = "product.infos"', "playbook[product.infos]", "no problem type"),
    (PRODUCT, INFO, 'type = "order.place"', "playbook[order.place]", "belongs in playbooks/order_payment.toml"),
    (PRODUCT, INFO, 'type = "product.stock"', "playbook[product.stock]", "given twice"),
    (PRODUCT, INVOLVE, 'involve = ["seller"]', "playbook[product.info]", "no party has the code 'seller'"),
    (PRODUCT, INVOLVE, "involve = []", "playbook[product.info]", "'involve' is empty"),
    (PRODUCT, INVOLVE, "involve = [[]]", "playbook[product.info]", "no party has the code []"),
    (PRODUCT, INVOLVE, 'involve = ["merchant", "merchant"]', "playbook[product.info]", "names a code twice"),
    (PRODUCT, 'offers = ["explanation"', 'offers = ["gift"', "playbook[product.info]", "no remedy has the code 'gift'"),
    (PRODUCT, 'source = "screenshot"', 'source = "rumour"', "facts[page_text]", "no source has the code 'rumour'"),
    (PRODUCT, CAUSE, '{ code = "misread", responsibility = "fate"', "causes[misread]", "no responsibility"),
    (PRODUCT, CAUSE, '{ code = "page_text", responsibility = "customer"', "causes[page_text]", "given twice"),
    (PRODUCT, 'input = "text"', 'input = "voice"', "questions[what_to_know]", "no input kind has the code 'voice'"),
    (PRODUCT, 'input = "choice"', 'input = "text"', "questions[bought_yet]", "has choices"),
    (PRODUCT, 'input = "text"', 'input = "choice"', "questions[what_to_know]", "'choices' is missing"),
    (PRODUCT, 'at_report = true, input = "text"', 'at_report = "yes", input = "text"', "questions[what_to_know]", "true or false"),
    (PRODUCT, "questions = [", "questions = []\nolder = [", "playbook[product.info]", "unknown key 'older'"),
    (PRODUCT, "aftercare = [", "aftercare = []\n[[playbook.x]]\ny = [", "playbook[product.info]", "unknown key 'x'"),
    ("policy.toml", "level = 5\nfirst", "level = 4\nfirst", "level[4]", "given twice"),
    ("policy.toml", "first_word_hours = 0.5", "first_word_hours = 9", "", "level 5 is slower than level 4"),
    ("policy.toml", "first_word_hours = 0.5", "first_word_hours = 0", "level[5]", "must be above 0"),
    ("policy.toml", "first_word_hours = 0.5", "first_word_hours = nan", "level[5]", "must be above 0"),
    ("policy.toml", '"urgent.safety" = 5', '"urgent.safety" = 9', "signals", "level from 1 to 5"),
    ("policy.toml", '"urgent.safety" = 5', '"outcome.fixed" = 5', "signals_silent", "silent and has a level too"),
    ("policy.toml", 'impact = "orders_blocked"', 'impact = "orders_late"', "impact_rule[orders_late]", "no impact"),
    ("policy.toml", 'impact = "orders_blocked"', 'impact = "money_lost"', "impact_rule[money_lost]", "given twice"),
    ("policy.toml", 'currency = "KRW", at_least = 0,', 'currency = "KRW", at_least = 9,', "impact_rule[money_lost]", "begin at 0"),
    ("policy.toml", STEP, STEP.replace("4", "3"), "impact_rule[money_lost]", "must demand a higher level"),
    ("policy.toml", STEP, STEP.replace("KRW", "won"), "amounts[won]", "not a currency code"),
    ("policy.toml", "decision_hours = 4\n", "decision_hours = 13\n", "", "level 5 is slower than level 4"),
    ("policy.toml", 'type = "account.fraud"', 'type = "account.moon"', "type_times[account.moon]", "no problem type"),
    ("policy.toml", "first_word_hours = 0.5\ndecision_hours = 8", "first_word_hours = 5\ndecision_hours = 8", "", "level 4 is slower than level 3"),
    ("policy.toml", "first_word_hours = 0.5\ndecision_hours = 8\n", "", "type_times[account.fraud]", "gives none of"),
    ("policy.toml", "warn_lead_at = 0.9", "warn_lead_at = 0.5", "promises", "the lead is warned before the owner"),
    ("policy.toml", "warn_lead_at = 0.9", "warn_lead_at = 1.5", "promises", "above 0 and below 1"),
    ("policy.toml", "broken_at_least = 3", "broken_at_least = 6", "promises", "level from 1 to 5"),
    ("policy.toml", "[48, 120]", "[120, 48]", "waiting", "must rise"),
    ("policy.toml", "[48, 120]", "[0, 48]", "waiting", "begin after 0"),
    ("policy.toml", "[48, 120]", "[]", "waiting", "numbers of hours"),
    ("policy.toml", "[0, 72, 168]", "[0, 72]", "confirmation", "at least 3 asks"),
    ("policy.toml", "[0, 72, 168]", "[0, 72, 100]", "confirmation", "reach over 7 days"),
    ("policy.toml", "[0, 72, 168]", "[0, 2, 168]", "confirmation", "at least 20 hours"),
    ("policy.toml", '["letter", "letter", "phone"]', '["letter", "phone"]', "confirmation", "for each of"),
    ("policy.toml", '["letter", "letter", "phone"]', '["phone", "letter", "phone"]', "confirmation", "the telling itself asks"),
    ("policy.toml", "asks = 3", "asks = 2.5", "confirmation", "a whole number"),
    ("policy.toml", 'languages = ["zh"]', 'languages = ["ko"]', "", "'ko' must have exactly one outside_route, not 2"),
    ("policy.toml", 'languages = ["zh"]', 'languages = ["jp"]', "outside_route[cn_12315]", "no pack language"),
    ("policy.toml", "days = 90", "days = ", "", "not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "place", "reason"), WRONG)
def test_a_wrong_pack_says_file_place_and_reason(
    edited: Spoil, name: str, old: str, new: str, place: str, reason: str
) -> None:
    target = edited(name, old, new)
    with pytest.raises(PackError) as caught:
        check_all()
    assert caught.value.file == str(target)
    assert place in caught.value.place
    assert reason in caught.value.reason


def test_a_type_without_playbook_is_named(edited: Spoil) -> None:
    target = edited(PRODUCT, INFO, INFO)
    text = target.read_text("utf-8")
    head, first, *rest = text.split("[[playbook]]")
    assert INFO in first
    target.write_text("[[playbook]]".join([head, *rest]), "utf-8")
    with pytest.raises(PackError, match=r"the type 'product\.info' has no playbook"):
        playbook("refund.delay")


def test_a_playbook_needs_1_to_3_questions_at_report(edited: Spoil) -> None:
    target = edited(PRODUCT, INFO, INFO)
    target.write_text(target.read_text("utf-8").replace("at_report = true, ", ""), "utf-8")
    with pytest.raises(PackError, match="1 to 3 questions must have at_report"):
        check_all()


def test_a_file_that_is_not_utf8_is_named(edited: Spoil) -> None:
    edited("sources.toml", "주문", "주문").write_bytes("ko = '주문'".encode("cp949"))
    with pytest.raises(PackError, match="not UTF-8"):
        check_all()


def test_a_folder_that_does_not_exist_is_not_taken_for_the_shipped_packs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path / "mistyped"))
    with pytest.raises(PackError, match="does not exist"):
        taxonomy()


def test_a_mistyped_file_name_is_named(edited: Spoil) -> None:
    edited(PRODUCT, INFO, INFO).rename(stray := Path(edited(PRODUCT, INFO, INFO).parent / "produkt.toml"))
    with pytest.raises(PackError, match="replaces no pack") as caught:
        check_all()
    assert caught.value.file == str(stray)


@pytest.mark.parametrize(("row", "reason"), [
    ('[[signal]]\nid = "urgent.moon"', "the signal 'urgent.moon' is not in policy.toml"),
    ('[[type]]\nid = "moon.late"', "the type 'moon.late' is not in taxonomy.toml"),
])  # fmt: skip
def test_the_text_pack_may_not_know_more_than_policy_and_taxonomy(
    edited: Spoil, row: str, reason: str
) -> None:
    folder = edited("sources.toml", "주문", "주문").parent
    (folder / "text").mkdir()
    (folder / "text" / "ko.toml").write_text(row, "utf-8")
    with pytest.raises(PackError, match=reason):
        check_all()


def test_the_command_prints_counts_or_the_error(edited: Spoil, capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0
    assert "28 playbooks" in capsys.readouterr().out
    edited("policy.toml", "asks = 3", "asks = 0")
    assert main() == 1
    assert "policy.toml: confirmation: 'asks' must be above 0" in capsys.readouterr().err
