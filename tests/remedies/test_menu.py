"""The policy by its own examples, and what the menu says to Minji, Sujin and Hana."""

from __future__ import annotations

import shutil
from decimal import Decimal

import pytest

from makegood.base.languages import speaking
from makegood.packs.errors import PackError
from makegood.packs.reading import SHIPPED
from makegood.packs.remedying import FILES, RemedyRule, Tried, remedy_policy
from makegood.remedies.menu import Situation, below_law, judge, menu

POLICY = remedy_policy()
TRIED = [(rule, tried) for rule in POLICY.rules.values() for tried in rule.tried]


def situation(given) -> Situation:
    """The situation that an example tells."""
    paid = Decimal(str(given["paid"])) if "paid" in given else None
    days = dict.fromkeys(("ordered", "paid", "received"), given["days"]) if "days" in given else {}
    return Situation(
        type=given["type"],
        currency=given["currency"],
        responsibility=given.get("responsibility", "unknown"),
        shop=given.get("shop", ""),
        paid=paid,
        left=paid,
        days=days,
        delivered=given.get("delivered", False),
        before=given.get("before", 0),
        law=frozenset(given.get("law", ())),
    )


@pytest.mark.parametrize(("rule", "tried"), TRIED, ids=lambda x: getattr(x, "code", ""))
def test_each_row_does_what_its_examples_say(rule: RemedyRule, tried: Tried):
    s, role = situation(tried.given), tried.given["role"]
    choice = next((c for c in menu(s, role, POLICY) if c.remedy == (tried.gives or rule.remedy)), None)
    if not tried.gives:
        assert choice is None
        return
    assert choice is not None
    if tried.up_to is not None:
        assert choice.up_to == tried.up_to
    verdict = judge(tried.gives, choice.up_to, s, role, POLICY)
    assert (verdict.approver == "") == tried.alone and not verdict.deviates
    assert verdict.approver == tried.approver


def test_every_file_has_examples():
    assert len(TRIED) >= 20 and {r.remedy for r, t in TRIED if t.gives} >= {
        "refund",
        "exchange",
        "credit",
        "resend",
    }


def test_the_case_explains_it_in_one_sentence():
    s = Situation("delivery.damaged", "KRW", "carrier", paid=Decimal(39000), left=Decimal(39000), days={"received": 3},
                  law=frozenset({"kr.mismatch_receipt"}))  # fmt: skip
    refund = next(c for c in menu(s, "agent", POLICY) if c.remedy == "refund")
    said = refund.sentence()
    assert "50,000 KRW" in said["en"] and "17(3)" in said["en"] and said["en"].endswith(".")
    assert "50,000 KRW" in said["ko"] and "50,000 KRW" in said["zh"]


def test_a_lead_asks_somebody_above_where_a_lead_may_not_decide_so_much():
    s = Situation("payment.double", "KRW", paid=Decimal(5_000_000), left=Decimal(5_000_000))
    assert judge("refund", Decimal(5_000_000), s, "agent", POLICY).approver == "manager"
    assert judge("refund", Decimal(5_000_000), s, "manager", POLICY).approver == ""


def test_more_than_the_policy_gives_is_a_deviation_for_everybody_and_needs_a_second_person_below_the_managers():
    s = Situation("quality.defect", "KRW", paid=Decimal(39000), left=Decimal(39000))
    for role, approver in (("agent", "lead"), ("lead", "lead"), ("manager", "")):
        verdict = judge("partial_refund", Decimal(20000), s, role, POLICY)
        assert verdict.deviates and verdict.approver == approver
    assert judge("apology", None, s, "agent", POLICY).deviates


def test_a_currency_that_the_policy_does_not_name_is_decided_by_nobody_alone():
    s = Situation("refund.delay", "BRL", paid=Decimal(10), left=Decimal(10))
    assert judge("refund", Decimal(10), s, "lead", POLICY).approver


def test_an_offer_may_not_be_below_the_law():
    s = Situation("quality.mismatch", "KRW", paid=Decimal(39000), left=Decimal(39000),
                  law=frozenset({"kr.mismatch_receipt"}))  # fmt: skip
    assert [r for _f, r in below_law({"partial_refund": Decimal(5000)}, s, POLICY)] == ["refund", "exchange"]
    assert [r for _f, r in below_law({"refund": Decimal(38999), "exchange": None}, s, POLICY)] == ["refund"]
    assert not below_law({"refund": Decimal(39000), "exchange": None}, s, POLICY)
    assert not below_law({"credit": Decimal(1)}, Situation("service.attitude", "KRW"), POLICY)


def edited(tmp_path, monkeypatch, name: str, old: str, new: str) -> None:
    """A site's copy of one file, with one change."""
    (tmp_path / "remedies").mkdir()
    text = (SHIPPED / name).read_text("utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), "utf-8")
    monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (FILES[0], 'law = ["kr.withdrawal", ', "law = [", "which the law demands"),
        (FILES[0], 'law = ["kr.cannot_supply"]', 'law = ["kr.cannot_supply"]\nshare = 80', "in full"),
        (FILES[0], "agent = { KRW = 100000", "agents = { KRW = 100000", "unknown key"),
        (FILES[0], "KRW = 100000", "KRW = -1", "above 0"),
        (FILES[1], 'steps = ["replace"]', 'steps = ["send"]', "no action"),
        (
            "remedies/floors.toml",
            'demands = ["repair", "exchange"]',
            'demands = ["repair"]',
            "may not be taken away",
        ),
        ("remedies/floors.toml", 'clock = "kr.withdrawal"', 'clock = "kr.withdrawl"', "no legal clock"),
    ],
)
def test_a_policy_below_the_law_or_with_a_slip_is_refused_when_it_is_loaded(
    tmp_path, monkeypatch, name, old, new, says
):
    edited(tmp_path, monkeypatch, name, old, new)
    with pytest.raises(PackError, match=says):
        remedy_policy()


def test_a_team_may_lower_its_own_limits(tmp_path, monkeypatch):
    edited(tmp_path, monkeypatch, FILES[0], "agent = { KRW = 50000", "agent = { KRW = 30000")
    s = Situation("delivery.damaged", "KRW", "carrier", paid=Decimal(39000), left=Decimal(39000), days={"received": 3},
                  law=frozenset({"kr.mismatch_receipt"}))  # fmt: skip
    choice = next(c for c in menu(s, "agent", remedy_policy()) if c.remedy == "refund")
    assert choice.up_to == 39000, "what the law demands stays on the menu in full"
    shutil.rmtree(tmp_path / "remedies")


def test_the_sentence_speaks_three_languages():
    s = Situation("refund.delay", "KRW", paid=Decimal(39000), left=Decimal(39000))
    said = menu(s, "agent", POLICY)[0].sentence()
    assert len(set(said.values())) == 3
    with speaking("ko"):
        assert said["ko"]
