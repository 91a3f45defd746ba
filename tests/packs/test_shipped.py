"""The shipped packs are whole: every type, every reference, and every level that mission and brief name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from makegood.packs import UnknownCode, check_all, names, playbook, playbooks, policy, sources, taxonomy

TYPES = [
    "product.info",
    "product.stock",
    "product.price",
    "order.place",
    "order.change",
    "order.cancel",
    "payment.failed",
    "payment.double",
    "payment.amount",
    "refund.delay",
    "refund.amount",
    "refund.refused",
    "delivery.late",
    "delivery.stuck",
    "delivery.missing",
    "delivery.wrong",
    "delivery.damaged",
    "quality.defect",
    "quality.mismatch",
    "quality.return",
    "quality.repair",
    "invoice.request",
    "invoice.wrong",
    "account.login",
    "account.security",
    "account.fraud",
    "service.attitude",
    "service.noreply",
]


def test_there_are_exactly_the_28_types_of_the_text_pack_each_with_its_playbook() -> None:
    assert sorted(taxonomy().types) == sorted(TYPES)
    assert list(playbooks()) == list(taxonomy().types)
    assert check_all()["playbooks"] == 28


def test_the_vocabularies_hold_the_codes_that_code_and_cases_rely_on() -> None:
    assert set(names("kind")) == {"technical", "mistake", "security"}
    assert set(names("responsibility")) == {
        *("platform", "merchant", "carrier", "payment_provider", "customer", "unknown"),
    }
    assert set(names("impact")) == {"money_lost", "orders_blocked", "campaign_at_risk"}
    assert set(names("remedy")) == {
        *("refund", "partial_refund", "exchange", "resend", "repair", "compensation", "credit"),
        *("cancel_order", "correct_order", "reissue_invoice", "restore_access", "explanation", "apology"),
    }
    assert len(sources().sources) == 9 and len(sources().proofs) == 6


def test_each_family_has_types_and_each_kind_has_its_own_response_and_aftercare() -> None:
    for family in taxonomy().families:
        assert taxonomy().types_of(family), family
    for kind in taxonomy().kinds.values():
        assert kind.response and kind.aftercare


@pytest.mark.parametrize("code", TYPES)
def test_a_playbook_asks_collects_rules_out_and_follows_up(code: str) -> None:
    book = playbook(code)
    assert 1 <= len(book.at_report) <= 3 and book.involve
    codes = [item.code for item in book.items()]
    assert len(set(codes)) == len(codes)
    assert book.item(codes[-1]).code == codes[-1]
    # Ruling out is only a judgement when more than one party could be at fault.
    assert len({cause.responsibility for cause in book.causes}) > 1


def test_a_question_of_choice_has_choices_and_every_question_is_a_sentence() -> None:
    for book in playbooks().values():
        for question in book.questions:
            assert bool(question.choices) == (question.input == "choice"), question.code
            assert question.text.en.endswith((".", "?")), question.text.en


def test_an_unknown_code_is_refused_aloud() -> None:
    for ask in (
        lambda: taxonomy().type("refund.lost"),
        lambda: taxonomy().kind("magic"),
        lambda: taxonomy().types_of("magic"),
        lambda: playbook("refund.lost"),
        lambda: playbook("refund.delay").item("magic"),
        lambda: policy().level(6),
        lambda: policy().signal_level("urgent.magic"),
        lambda: policy().impact_level("magic"),
        lambda: names("magic"),
    ):
        with pytest.raises(UnknownCode):
            ask()


def test_the_levels_have_the_agreed_times() -> None:
    hours = {n: (lv.first_word, lv.next_word) for n, lv in policy().levels.items()}
    agreed = {1: (24, 48), 2: (8, 24), 3: (4, 8), 4: (1, 2), 5: (0.5, 0.5)}
    assert hours == {n: (timedelta(hours=a), timedelta(hours=b)) for n, (a, b) in agreed.items()}


def test_the_closing_rule_asks_three_times_over_a_week_and_the_link_lives_90_days() -> None:
    assert policy().confirmation.asks == 3
    assert policy().confirmation.over == timedelta(days=7)
    assert policy().customer_link == timedelta(days=90)


def test_signals_demand_levels_but_emotion_alone_never_more_than_3_and_outcomes_none() -> None:
    rules = policy()
    assert rules.signal_level("urgent.safety") == 5
    for signal in ("threat.regulator", "threat.legal", "loss.sales", "urgent.deadline"):
        assert rules.signal_level(signal) == 4
    assert rules.signal_level("repeat.contact") == rules.signal_level("loss.money") == 3
    assert max(level for s, level in rules.signals.items() if s.startswith("emotion.")) <= 3
    assert rules.silent_signals == {"outcome.fixed", "outcome.not_fixed", "outcome.partial"}
    assert rules.signal_level("outcome.not_fixed") is None


@pytest.mark.parametrize(
    ("amount", "currency", "level"),
    [
        ("0", "KRW", 3),
        ("299999", "KRW", 3),
        ("300000", "KRW", 4),
        ("3000000", "KRW", 5),
        ("1499.99", "CNY", 3),
        ("1500", "CNY", 4),
        ("200", "USD", 4),
        ("2000", "USD", 5),
        ("1", "XTS", 5),  # unknown input takes the highest, never a default low (law 3)
    ],
)
def test_money_lost_demands_a_level_by_its_amount(amount: str, currency: str, level: int) -> None:
    assert policy().impact_level("money_lost", Decimal(amount), currency) == level


def test_the_other_impacts_and_an_unknown_amount() -> None:
    assert policy().impact_level("money_lost") == 4
    assert policy().impact_level("orders_blocked") == 4
    assert policy().impact_level("campaign_at_risk") == 5
    with pytest.raises(ValueError):
        policy().impact_level("money_lost", Decimal(-1), "KRW")


def test_a_customer_who_disagrees_is_told_the_route_of_their_language() -> None:
    assert "1372" in policy().outside_route("ko").name.ko
    assert "12315" in policy().outside_route("zh-hans").name.zh
    assert "consumer" in policy().outside_route("en").how.en
    assert policy().outside_route("fr") == policy().outside_route("en")
