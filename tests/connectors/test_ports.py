"""Asks are checked before anything leaves the house; kinds say what they need; the fakes are held against the official clients."""

from __future__ import annotations

import builtins
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction

from makegood.connectors import registry, telling
from makegood.connectors.amounts import major, minor
from makegood.connectors.canon import NOUNS, STATES, TYPES, Money
from makegood.connectors.errors import Never
from makegood.connectors.ports import ACTIONS, MAKES, Ask, after, refused, unknown
from makegood.connectors.registry import KINDS, Unopened
from makegood.connectors.steps import mark, marked
from tests.connectors.fakes import FakePortOne, FakeShop
from tests.connectors.fakes.base import SECRET

ROOT = Path(__file__).parent.parent.parent
GOOD = Ask("refund", "case-1042-1", "HN-1", "P-1", Money(Decimal(12000), "KRW"))


@pytest.fixture
def inside(settings: object) -> None:
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ours": ""},
        {"ours": "short"},
        {"ours": "with blank 1"},
        {"ours": "x" * 65},
        {"ours": "새우깡-12345"},
        {"ours": "case-1042]"},
        {"action": "pay"},
        {"money": None},
        {"money": Money(Decimal(0), "KRW")},
        {"money": Money(Decimal(-5), "KRW")},
        {"money": Money(Decimal("NaN"), "KRW")},
        {"money": Money(Decimal("Infinity"), "KRW")},
        {"expected_left": Money(Decimal(-1), "KRW")},
        {"order": "", "payment": ""},
    ],
)
def test_an_odd_ask_is_not_even_made(wrong: dict[str, object]):
    with pytest.raises(Never, match="unfit"):
        replace(GOOD, **wrong)  # type: ignore[arg-type]


def test_the_key_is_the_same_for_ever_and_another_for_another_deed():
    assert GOOD.key == replace(GOOD, reason="else").key == "mg-" + GOOD.key[3:] and len(GOOD.key) == 40
    assert len({GOOD.key, replace(GOOD, action="credit").key, replace(GOOD, ours="case-1042-2").key}) == 3


def test_what_an_action_makes_has_states():
    assert set(MAKES) == set(ACTIONS) and set(MAKES.values()) <= set(NOUNS)
    for noun, states in STATES.items():
        for state in states:
            assert telling.type_of(noun, state) in TYPES, (noun, state)
            assert telling.type_of(noun, state).startswith(f"{noun}.")


def test_only_words_of_ours_are_given_out():
    for make in (refused, unknown):
        with pytest.raises(ValueError):
            make("whatever")
    assert refused("busy").again and not refused("over_balance").again and not unknown("lost").again


def test_money_that_came_back_is_not_money_that_never_went():
    assert after("paid_out", "refused") == after("paid_out", "withdrawn") == "reversed"
    assert (after("sent", "refused"), after("", "paid_out"), after("paid_out", "paid_out")) == (
        "refused",
        "paid_out",
        "paid_out",
    )


def test_a_reason_keeps_our_reference_however_long_it_is():
    text = mark("case-1042-1", "깨진 컵 " * 100, 200)
    assert len(text) <= 200 and marked(text, "case-1042-1")
    assert (
        not marked(text, "case-1042")
        and not marked("[mg:case-1042-12]", "case-1042-1")
        and not marked(None, "x")
    )


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("12000", "KRW", 12000), ("12.34", "USD", 1234), ("1.234", "KWD", 1234), ("5", "CNY", 500)],
)
def test_smallest_units(amount: str, currency: str, units: int):
    assert minor(Money(Decimal(amount), currency)) == units
    assert major(units, currency) == Money(Decimal(amount), currency)
    for odd in (
        Money(Decimal("0.5"), "KRW"),
        Money(Decimal("1.005"), "USD"),
        Money(Decimal(10) ** 30, "USD"),
    ):
        with pytest.raises(Never, match="unfit"):
            minor(odd)


# -- kinds


def test_every_kind_opens_with_what_it_names(inside: None):
    for kind in KINDS.values():
        given = {one.name: SECRET if one.secret else "https://shop.example" for one in kind.settings}
        assert registry.open(kind.name, given).kind == kind.name
        assert SECRET not in repr(registry.open(kind.name, given))


@pytest.mark.parametrize(
    ("kind", "given", "code", "name"),
    [
        ("shoplazza", {}, "no_such_kind", "shoplazza"),
        ("toss", {"key": "k", "kye": "k"}, "no_such_setting", "kye"),
        ("toss", {"key": "  "}, "missing", "key"),
        ("medusa", {"address": "https://shop.example"}, "missing", "key"),
        ("vendure", {"address": "https://shop.example", "user": "hana"}, "missing", "key"),
    ],
)
def test_a_form_filled_in_wrongly_is_told_where(kind: str, given: dict[str, str], code: str, name: str):
    with pytest.raises(Unopened) as wrong:
        registry.open(kind, given)
    assert (wrong.value.code, wrong.value.name) == (code, name)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "stripe":
            raise ModuleNotFoundError("No module named 'stripe'", name="stripe")
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "makegood.connectors.stripe", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Unopened) as wrong:
        registry.open("stripe", {"key": "sk"})
    assert (wrong.value.code, wrong.value.name) == ("extra_missing", "stripe")


@pytest.mark.django_db
def test_nothing_is_sent_inside_a_transaction(inside: None):
    """Law 6: a slow shop would hold the row locks of everybody."""
    fake = FakeShop()
    fake.start()
    try:
        fake.pay("39000", "KRW")
        with transaction.atomic(), pytest.raises(RuntimeError):
            fake.connector().do(GOOD)
        assert fake.writes == 0 and fake.calls == []
    finally:
        fake.stop()


# -- the fakes held against the official clients


@pytest.fixture
def portone() -> Iterator[FakePortOne]:
    fake = FakePortOne()
    fake.start()
    yield fake
    fake.stop()


def test_the_fake_portone_speaks_as_its_own_client_expects(portone: FakePortOne):
    sdk = pytest.importorskip("portone_server_sdk", reason="PortOne's client is not installed.")
    errors = pytest.importorskip("portone_server_sdk.errors")
    client = sdk.PaymentClient(secret="secret", base_url=portone.url)
    portone.pay("39000", "KRW")
    paid = client.get_payment(payment_id="P-1")
    assert (paid.amount.paid, paid.currency) == (39000, "KRW")
    made = client.cancel_payment(
        payment_id="P-1", amount=12000, reason="damaged", current_cancellable_amount=39000
    )
    assert (made.cancellation.total_amount, made.cancellation.reason) == (12000, "damaged")
    assert type(client.get_payment(payment_id="P-1")).__name__ == "PartialCancelledPayment"
    wrong: Mapping[str, dict[str, int]] = {
        "CancellableAmountConsistencyBrokenError": {"amount": 1000, "current_cancellable_amount": 39000},
        "CancelAmountExceedsCancellableAmountError": {"amount": 99000},
    }
    for name, asked in wrong.items():
        with pytest.raises(getattr(errors, name)):
            client.cancel_payment(payment_id="P-1", reason="x", **asked)
    client.cancel_payment(payment_id="P-1", amount=27000, reason="rest")
    with pytest.raises(errors.PaymentAlreadyCancelledError):
        client.cancel_payment(payment_id="P-1", amount=1, reason="more")
    with pytest.raises(errors.PaymentNotFoundError):
        client.get_payment(payment_id="P-none")


def test_signatures_are_those_of_the_reference_library(portone: FakePortOne):
    reference = pytest.importorskip("standardwebhooks", reason="The reference library is not installed.")
    body = '{"말": "안녕"}'.encode()
    headers = telling.signed(SECRET, "m-1", body)
    assert reference.Webhook(SECRET).verify(body, headers) == {"말": "안녕"}
    move = portone.refunded(Decimal(1000), portone.pay("39000", "KRW"), "x")
    headers, body = portone.hook(portone.pays["P-1"], move)
    webhook = pytest.importorskip("portone_server_sdk").webhook
    assert webhook.verify(SECRET, body.decode(), headers) is not None


@pytest.mark.django_db
def test_the_example_shop_runs_as_its_readme_says(inside: None, unused_port: int):
    """A reader starts it in one terminal and gives Jiwoo her money back from the other."""
    command = [
        sys.executable,
        str(ROOT / "examples/shop/shop.py"),
        "--port",
        str(unused_port),
        "--secret",
        SECRET,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            connector = registry.open(
                "generic", {"address": f"http://127.0.0.1:{unused_port}", "secret": SECRET}, seconds=5
            )
            asked = replace(GOOD, order="HN-1001", payment="P-1001")
            for _ in range(100):
                outcome = connector.do(asked)
                if outcome.code != "unreachable":
                    break
                time.sleep(0.1)
            assert (outcome.result, outcome.state) == ("done", "paid_out")
            assert connector.capabilities().actions == set(ACTIONS)
            # All the others, once each, and found again.
            for action in set(ACTIONS) - {"refund"}:
                one = replace(asked, action=action, ours=f"case-1042-{action}")
                first = connector.do(one)
                assert (first.done, connector.do(one).ref, connector.look_up(one).ref) == (
                    True,
                    first.ref,
                    first.ref,
                )
                assert first.state in STATES[MAKES[action]]
            wrong = registry.open(
                "generic",
                {"address": f"http://127.0.0.1:{unused_port}", "secret": "whsec_" + "A" * 32},
                seconds=5,
            )
            assert wrong.do(replace(asked, ours="case-1042-wrong")).code == "not_allowed"
        finally:
            process.terminate()


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
