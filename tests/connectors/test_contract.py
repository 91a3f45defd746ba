"""One contract for every connector: Jiwoo gets her money back once, whatever happens on the line, and nobody says more than is known.

Each test runs against the fake of every kind. A fake counts what truly moved; the connector's word is held against that.
Over 300 lines, for it is one contract and is read as a whole: what a new connector must keep.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections

from makegood.base import clock
from makegood.connectors.canon import Money, Told
from makegood.connectors.errors import Never
from makegood.connectors.ports import AGAIN, REFUSALS, Ask, Line, Outcome
from tests.connectors.fakes import ALL, Fake
from tests.connectors.fakes.base import Pay

pytestmark = pytest.mark.django_db

WON = "KRW"


@pytest.fixture(params=ALL, ids=lambda kind: kind.kind)
def fake(request: pytest.FixtureRequest, settings: pytest.FixtureRequest) -> Iterator[Fake]:
    if request.param.kind == "stripe":
        pytest.importorskip("stripe", reason="The extra 'stripe' is not installed.")
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]
    made: Fake = request.param()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def paid(fake: Fake) -> Pay:
    """Jiwoo paid 39,000 won for tea cups, one of which arrived broken."""
    return fake.pay("39000", WON)


def ask(
    amount: str = "12000",
    ours: str = "case-1042-refund-1",
    left: str = "",
    currency: str = WON,
    **more: object,
) -> Ask:
    expected = Money(Decimal(left), currency) if left else None
    made = Ask(
        "refund",
        ours,
        "HN-1",
        "P-1",
        Money(Decimal(amount), currency),
        reason="damaged",
        expected_left=expected,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def freeze(ours: str = "case-1042-freeze-1") -> Ask:
    return Ask("freeze", ours, "HN-1", "P-1", reason="payment", sent_at=clock.now())


def moved(fake: Fake, pay: Pay) -> Decimal:
    """What truly left for the customer."""
    return sum(
        (one.amount for one in fake.refunds(pay) if one.state not in ("refused", "reversed")), Decimal(0)
    )


def together(*acts: object) -> list[Outcome]:
    """All at the same moment, each on a line of its own to the database."""
    found: list[Outcome] = []
    start = threading.Barrier(len(acts))

    def run(act: object) -> None:
        try:
            start.wait()
            found.append(act())  # type: ignore[operator]
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(acts)
    return found


# -- what goes right


def test_a_refund_goes_out_under_our_own_reference(fake: Fake, paid: Pay):
    outcome = fake.connector().do(ask(left="39000"))
    assert (outcome.result, outcome.state, outcome.money) == ("done", "paid_out", Money(Decimal(12000), WON))
    assert outcome.left == Money(Decimal(27000), WON) or fake.kind == "generic"
    assert [one.amount for one in fake.refunds(paid)] == [Decimal(12000)]
    assert "case-1042-refund-1" in fake.refunds(paid)[0].mark
    assert fake.refunds(paid)[0].ref == outcome.ref


def test_a_preview_says_what_would_be_and_sends_nothing(fake: Fake, paid: Pay):
    preview = fake.connector().preview(ask())
    assert (preview.allowed, preview.left, preview.left_after) == (
        True,
        Money(Decimal(39000), WON),
        Money(Decimal(27000), WON),
    )
    over = fake.connector().preview(ask("39001"))
    assert (over.allowed, over.why) == (False, "over_balance")
    assert fake.connector().preview(ask(payment="P-none", order="HN-none")).why == "not_there"
    assert fake.writes == 0


def test_what_it_can_do_is_asked_and_named_in_our_words(fake: Fake, paid: Pay):
    able = fake.connector().capabilities()
    assert "refund" in able.actions and able.partial and able.finds_ours
    assert able.checks_left == fake.checks_left
    assert (able.read_at is None) == (
        fake.kind in ("toss", "portone")
    )  # the two that tell nothing of an account
    for action in {"refund", "cancel", "freeze"} - able.actions:
        assert fake.connector().do(replace(ask(), action=action)).code == "not_able"


def test_what_is_frozen_is_stopped_once_and_gives_nothing_back(fake: Fake, paid: Pay):
    """A payment of a security case: one call, found again by our reference; from then on no money leaves by it."""
    connector = fake.connector()
    if "freeze" not in connector.capabilities().actions:
        assert connector.do(freeze()).code == "not_able"
        return
    assert connector.preview(freeze()).allowed
    outcome = connector.do(freeze())
    assert outcome.done and outcome.ref == paid.ref and outcome.state == "taken"
    assert connector.do(freeze()).ref == connector.look_up(freeze()).ref == paid.ref
    assert connector.do(ask()).code == "locked" and connector.preview(ask()).why == "locked"
    (told,) = (one for one in connector.read("payment", paid.ref) if one.noun == "payment")
    assert told.more["locked"] is True


def test_a_freeze_whose_answer_is_lost_is_looked_up(fake: Fake, paid: Pay):
    connector = fake.connector(1.0)
    if "freeze" not in connector.capabilities().actions:
        return
    fake.switches.lost = fake.switches.dark = True
    assert connector.do(freeze()).result == "unknown"
    fake.light()
    assert connector.look_up(freeze()).done and fake.writes == 1


def test_lines_reach_the_shop_and_those_that_it_has_not_are_refused(fake: Fake, paid: Pay):
    """Only where the shop takes lines; a whole that was meant as a part must not go."""
    if fake.kind != "generic":
        return
    part = replace(ask(), lines=(Line("L-1", 1),))
    assert fake.connector().do(part).done
    assert fake.shop.deeds[f"refund {part.ours}"]["lines"] == [{"ref": "L-1", "quantity": 1}]
    strange = replace(ask(ours="case-1042-refund-9"), lines=(Line("L-9", 1),))
    assert fake.connector().do(strange).code == "unfit"
    assert len(fake.refunds(paid)) == 1


def test_what_it_says_it_reads_it_reads(fake: Fake, paid: Pay):
    connector = fake.connector()
    able = connector.capabilities()
    for noun in able.nouns:
        assert connector.read(noun, "none-such") == []
    if fake.kind != "generic":  # the example shop answers for any noun that it has none
        for noun in {"invoice", "credit", "store"}:
            with pytest.raises(Never, match="not_able"):
                connector.read(noun, "X-1")


# -- the thirteen


def test_lost_reply(fake: Fake, paid: Pay):
    """The refund is made, the answer is lost: looked for at once, and found."""
    fake.switches.lost = True
    outcome = fake.connector().do(ask())
    assert outcome.done and outcome.ref == fake.refunds(paid)[0].ref
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


def test_lost_reply_and_nobody_answers_any_more(fake: Fake, paid: Pay):
    """Then nobody knows, and says so; once the line is up the look-up knows, without sending again."""
    fake.switches.lost = fake.switches.dark = True
    connector, asked = fake.connector(1.0), ask(sent_at=clock.now())
    assert connector.do(asked).result == "unknown"
    assert connector.look_up(asked).result == "unknown"
    fake.light()
    assert connector.look_up(asked).done
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


def test_slow_reply(fake: Fake, paid: Pay):
    """Slower than we wait is the same as lost."""
    fake.switches.slow_write = 1.0
    outcome = fake.connector(0.4).do(ask())
    assert outcome.result in ("done", "unknown")
    fake.light()
    assert fake.connector().look_up(ask()).done
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


def test_double_press(fake: Fake, paid: Pay):
    first, second = (fake.connector().do(ask()) for _ in range(2))
    assert first.done and second.done and first.ref == second.ref
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


def test_parallel_press(fake: Fake, paid: Pay):
    """Minji's double click reaches two workers at once: one sends, the other knows nothing and says so."""
    fake.switches.slow = 0.05
    outcomes = together(*[lambda: fake.connector().do(ask())] * 4)
    assert {one.result for one in outcomes} <= {"done", "unknown"} and any(one.done for one in outcomes)
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


def test_two_agents_at_once(fake: Fake, paid: Pay):
    """Minji and Jun each give the same cup back: two asks, one balance that both believe in."""
    fake.switches.slow = 0.05
    both = [ask(ours=f"case-1042-{name}", left="39000") for name in ("minji", "jun")]
    outcomes = together(*[lambda one=one: fake.connector().do(one) for one in both])
    assert sorted(one.result for one in outcomes) == ["done", "refused"]
    assert next(one for one in outcomes if one.refused).code in ("busy", "changed_meanwhile")
    assert moved(fake, paid) == Decimal(12000)


def test_webhook_before_the_reply(fake: Fake, paid: Pay):
    """The webhook names the same refund as the reply that follows it, and bears our reference: no second one is booked."""
    heard: list[Told] = []
    fake.hear = lambda headers, body: heard.append(_refund(_hear_apart(fake, headers, body)))
    outcome = fake.connector().do(ask())
    assert [(one.ref, one.money) for one in heard] == [(outcome.ref, outcome.money)]
    assert "case-1042-refund-1" in f"{heard[0].more} {heard[0].raw}"


def test_webhook_never(fake: Fake, paid: Pay):
    """Nobody tells us; the state is read."""
    outcome = fake.connector().do(ask())
    noun, ref = ("order", "HN-1") if fake.kind == "vendure" else ("payment", "P-1")
    told = fake.connector().read(noun, ref)
    refund = _refund(told)
    assert (refund.ref, refund.state, refund.money) == (outcome.ref, "paid_out", outcome.money)
    payment = next(one for one in told if one.noun == "payment")
    assert (payment.state, Decimal(payment.more["left_to_refund"])) == ("taken", Decimal(27000))
    assert fake.connector().read(noun, "none-such") == []


def test_webhook_twice(fake: Fake, paid: Pay):
    """The same letter tells the same fact with the same time: whoever keeps facts can see that it is one."""
    fake.connector().do(ask())
    headers, body = fake.hook(paid, fake.refunds(paid)[0])
    first, second = (fake.connector().told(headers, body) for _ in range(2))
    assert first == second and _refund(first).ref == fake.refunds(paid)[0].ref


def test_an_old_webhook_late(fake: Fake, paid: Pay):
    """'On its way' arrives after 'paid out': by the source's clock it is the older one, or it is read as it is now."""
    fake.switches.pending = True
    fake.connector().do(ask())
    move = fake.refunds(paid)[0]
    old = fake.hook(paid, move)
    new = fake.becomes(paid, move, "paid_out")
    newer, older = (_refund(fake.connector().told(*letter)) for letter in (new, old))
    assert newer.state == "paid_out"
    assert older.state == "paid_out" or (older.state == "sent" and older.at < newer.at)


def test_an_error_with_a_side_effect(fake: Fake, paid: Pay):
    """It answers with trouble, and the refund is there all the same: found, not sent again."""
    fake.switches.broken = True
    outcome = fake.connector().do(ask())
    assert outcome.done and outcome.ref == fake.refunds(paid)[0].ref
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


def test_pending_for_ever(fake: Fake, paid: Pay):
    """'Sent' is never called paid out, however often one looks; Medusa alone has no word for it."""
    fake.switches.pending = True
    connector, asked = fake.connector(), ask()
    states = [connector.do(asked).state, *(connector.look_up(asked).state for _ in range(3))]
    assert set(states) == {"paid_out" if fake.kind == "medusa" else "sent"}
    assert connector.capabilities().slow_refunds == (fake.kind != "medusa")
    assert fake.writes == 1


def test_paid_then_reversed(fake: Fake, paid: Pay):
    """The bank sends it back: nobody goes on saying that Jiwoo has her money."""
    connector = fake.connector()
    assert connector.do(ask()).state == "paid_out"
    fake.becomes(paid, fake.refunds(paid)[0], "reversed")
    now = connector.look_up(ask(was="paid_out", sent_at=clock.now() - timedelta(days=3)))
    if fake.kind == "medusa":  # it deletes the row: that is not 'nothing was sent', a person looks
        assert (now.result, now.again) == ("unknown", False)
    else:
        assert (now.result, now.state) == ("done", "reversed")


def test_the_balance_was_changed_by_somebody_else(fake: Fake, paid: Pay):
    """A colleague gave 30,000 back in the provider's console; our refund stops, though the money would suffice."""
    fake.somebody_else(paid, "5000")
    outcome = fake.connector().do(ask(left="39000"))
    assert (outcome.result, outcome.code, outcome.again) == ("refused", "changed_meanwhile", False)
    assert outcome.left == Money(Decimal(34000), WON)
    assert (moved(fake, paid), fake.writes) == (Decimal(5000), 0)


def test_the_balance_changes_between_our_look_and_our_call(fake: Fake, paid: Pay):
    """Who compares in the same step refuses; who does not may pay, but never more than there is."""
    fake.switches.raced = Decimal(5000)
    outcome = fake.connector().do(ask(left="39000"))
    if fake.checks_left:
        assert (outcome.result, outcome.code) == ("refused", "changed_meanwhile")
        assert moved(fake, paid) == Decimal(5000)
    else:
        assert outcome.done and moved(fake, paid) == Decimal(17000)


def test_the_key_was_forgotten_by_the_other_side(fake: Fake, paid: Pay):
    """Weeks later the same ask comes again: it is found by our reference, not by their memory."""
    first = fake.connector().do(ask())
    fake.switches.forgets = True
    again = fake.connector().do(ask())
    assert (again.done, again.ref) == (True, first.ref)
    assert (moved(fake, paid), fake.writes) == (Decimal(12000), 1)


@pytest.mark.parametrize(("amount", "currency"), [("12000", "KRW"), ("12.34", "USD")])
def test_money_has_the_decimals_of_its_currency(fake: Fake, amount: str, currency: str):
    pay = fake.pay("39000", currency)
    outcome = fake.connector().do(ask(amount, currency=currency))
    assert outcome.done and outcome.money == Money(Decimal(amount), currency)
    assert moved(fake, pay) == Decimal(amount)


def test_half_a_won_is_not_rounded(fake: Fake, paid: Pay):
    outcome = fake.connector().do(ask("12000.5"))
    assert (outcome.result, outcome.code, fake.writes) == ("refused", "unfit", 0)


# -- what is certain, and what is not


def test_a_code_that_nobody_knows_is_unknown(fake: Fake, paid: Pay):
    """Whatever the status says. Looked up soon it is not settled; after the time it takes, it is settled, if absence proves anything."""
    fake.switches.strange = True
    connector = fake.connector()
    outcome = connector.do(ask())
    assert (outcome.result, outcome.code, outcome.again) == ("unknown", "strange", False)
    fake.light()
    assert connector.look_up(ask()).result == "unknown"
    assert connector.look_up(ask(sent_at=clock.now() - timedelta(seconds=5))).code == "not_there_yet"
    late = connector.look_up(ask(sent_at=clock.now() - timedelta(hours=1)))
    if connector.capabilities().proves_absence:
        assert (late.result, late.code, late.again) == ("refused", "not_there", True)
    else:  # Vendure and Medusa ask a provider of their own first: nobody here can say that nothing moved
        assert (late.result, late.code, late.again) == ("unknown", "behind", False)
    assert moved(fake, paid) == 0


def test_more_than_is_left_is_refused(fake: Fake, paid: Pay):
    outcome = fake.connector().do(ask("39001"))
    assert (outcome.result, outcome.code, fake.writes) == ("refused", "over_balance", 0)


def test_more_than_is_left_by_the_other_side_s_own_word(fake: Fake, paid: Pay):
    """Somebody takes nearly all between our look and our call."""
    fake.switches.raced = Decimal(30000)
    outcome = fake.connector().do(ask())
    assert outcome.result == "refused" and outcome.code in ("over_balance", "changed_meanwhile")
    assert moved(fake, paid) == Decimal(30000)


def test_nobody_there(fake: Fake, paid: Pay):
    """The door is shut before anything was sent: certain, and it may be sent again."""
    connector = fake.connector(1.0)
    fake.server.server_close()
    outcome = connector.do(ask())
    assert (outcome.result, outcome.code, outcome.again) == ("refused", "unreachable", True)


def test_every_refusal_is_one_of_our_words(fake: Fake, paid: Pay):
    outcome = fake.connector().do(ask(order="HN-none", payment="P-none"))
    assert outcome.result == "refused" and outcome.code == "not_there"
    assert outcome.code in REFUSALS and set(REFUSALS) > AGAIN


def test_a_forged_webhook_is_thrown_away(fake: Fake, paid: Pay):
    """Somebody who knows our address writes that Jiwoo has her money."""
    fake.connector().do(ask())
    headers, body = fake.hook(paid, fake.refunds(paid)[0])
    if fake.kind == "toss":  # unsigned by nature: only what Toss itself says is believed
        assert fake.connector().told({}, body.replace(b"P-1", b"P-9")) == []
        return
    for odd_headers, odd_body in (
        ({}, body),
        (headers, body + b" "),
        (dict.fromkeys(headers, "v1,AAAA"), body),
    ):
        with pytest.raises(Never, match="forged"):
            fake.connector().told(odd_headers, odd_body)


def test_a_webhook_of_last_week_is_not_taken(fake: Fake, paid: Pay):
    if fake.kind == "toss":
        pytest.skip("Toss signs nothing: whatever comes, the payment is read as it is now.")
    fake.connector().do(ask())
    with clock.travel(clock.now() - timedelta(days=7)):
        letter = fake.hook(paid, fake.refunds(paid)[0])
    if fake.kind == "generic":
        from tests.connectors.fakes.base import signed

        letter = signed({}, "old", clock.now() - timedelta(days=7))
    with pytest.raises(Never, match="stale"):
        fake.connector().told(*letter)


def _refund(told: list[Told]) -> Told:
    return next(one for one in told if one.noun == "refund")


def _hear_apart(fake: Fake, headers: object, body: bytes) -> list[Told]:
    """In the fake's own thread, while it still holds its lock: reads must not wait for it."""
    return fake.connector().told(headers, body)  # type: ignore[arg-type]
