"""Whatever is done in whatever order: the laws hold after every step (a Hypothesis state machine over the desk's verbs).

Over 300 lines: one machine with a rule for each verb.
"""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from makegood.base import clock
from makegood.base.errors import DeskError
from makegood.cases.models import Case, Closure
from makegood.cases.urgency import Impact
from makegood.desk import (
    closing,
    fixing,
    following_up,
    handling,
    joining,
    promising,
    snoozing,
    talking,
    telling,
    triaging,
)
from makegood.desk.opening import Report, open_case
from makegood.jobs import sweep
from makegood.people import actors
from makegood.promises.models import WORDS as WORDS_OWED
from makegood.promises.models import Appointment, Promise
from tests import cast as stages

STAFF = st.sampled_from(["minji", "jun", "sujin", "wei", "hana"])
WORDS = st.sampled_from(
    [
        "아직도 환불이 안 됐어요",
        "가짜 상품이라 신고하겠습니다",
        "thank you",
        "再不退款我就投诉到12315",
        "this is a safety hazard",
        "ok",
        "이제 됩니다",
    ]
)
TYPES = st.sampled_from(["refund.delay", "account.fraud", "product.info", "no.such.type"])
LEVELS = st.integers(min_value=-1, max_value=7)
HOURS = st.sampled_from([-1.0, 1.0, 30.0, 24.0 * 90])


class Desk(RuleBasedStateMachine):
    """Random verbs by random people on a few cases; refusals are fine, broken laws are not."""

    reached_made_good = 0

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.random = random.Random(1)
        self.levels: dict[int, tuple[int, int]] = {}
        self.time = clock.travel(clock.now())
        self.now = self.time.__enter__()

    def teardown(self) -> None:
        self.time.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.cast = stages.assemble()
        self.open(text="환불해 주세요")

    def pick(self, n: int) -> Case:
        every = list(Case.objects.order_by("id"))
        return every[n % len(every)]

    def by(self, name: str) -> actors.Actor:
        return actors.user(getattr(self.cast, name))

    def soon(self, hours: float):
        return clock.now() + timedelta(hours=hours)

    def attempt(self, verb, *args, **fields) -> None:
        with suppress(DeskError), transaction.atomic():
            verb(*args, **fields)
            connection.check_constraints()  # what the end of the transaction would say

    @rule(text=WORDS)
    @precondition(lambda self: Case.objects.count() < 4)
    def open(self, text: str) -> None:
        customer = self.cast.jiwoo
        self.attempt(
            open_case, customer.shop, Report(text=text), by=actors.customer(customer.pk), customer=customer
        )

    @rule(n=st.integers(0, 3), who=STAFF, type=TYPES, blocked=st.integers(0, 1))
    def triage(self, n: int, who: str, type: str, blocked: int) -> None:
        sorting = triaging.Sorting(type=type, impact=Impact(orders_blocked=blocked))
        self.attempt(triaging.triage, self.pick(n), sorting, by=self.by(who), seen=None)

    @rule(n=st.integers(0, 3), who=STAFF)
    def take(self, n: int, who: str) -> None:
        self.attempt(handling.take, self.pick(n), by=self.by(who), seen=None)

    @rule(n=st.integers(0, 3), who=STAFF, to=STAFF)
    def assign(self, n: int, who: str, to: str) -> None:
        self.attempt(handling.assign, self.pick(n), by=self.by(who), seen=None, owner=getattr(self.cast, to))

    @rule(n=st.integers(0, 3), who=STAFF, stretch=st.integers(1, 8))
    def work_on(self, n: int, who: str, stretch: int) -> None:
        """What a diligent desk would do next, some steps in a row, so that random walks also reach the end of the loop."""
        for _ in range(stretch):
            self.next_step(n, who)

    def next_step(self, n: int, who: str) -> None:
        case = self.pick(n)
        steps = {
            "reported": lambda: self.triage(n, who, "refund.delay", 0),
            "triaged": lambda: self.take(n, who),
            "working": lambda: self.fix(n, who) if case.owner_id else self.take(n, who),
            "waiting": lambda: self.wait(n, who, ""),
            "fixed": lambda: self.verify(n, who, "re_123"),
            "verified": lambda: self.tell(n, who, 30.0),
            "told": lambda: self.confirm(n, "all_good", ""),
            "ended": lambda: None,
        }
        steps[case.status]()

    @rule(n=st.integers(0, 3), who=STAFF, level=LEVELS)
    def raise_urgency(self, n: int, who: str, level: int) -> None:
        self.attempt(handling.raise_urgency, self.pick(n), by=self.by(who), level=level, reason="campaign")

    @rule(n=st.integers(0, 3), who=STAFF, level=LEVELS, reason=st.sampled_from(["", "checked"]))
    def lower_urgency(self, n: int, who: str, level: int, reason: str) -> None:
        self.attempt(
            handling.lower_urgency,
            self.pick(n),
            by=self.by(who),
            seen=None,
            level=level,
            reason=reason,
            evidence="ledger",
        )

    @rule(n=st.integers(0, 3), who=STAFF, hours=HOURS)
    def reply(self, n: int, who: str, hours: float) -> None:
        self.attempt(
            talking.reply, self.pick(n), by=self.by(who), seen=None, text="…", next_word_at=self.soon(hours)
        )

    @rule(n=st.integers(0, 3), words=WORDS)
    def customer_writes(self, n: int, words: str) -> None:
        case = self.pick(n)
        self.attempt(talking.customer_writes, case, by=actors.customer(case.customer_id), text=words)

    @rule(n=st.integers(0, 3), who=STAFF, for_whom=st.sampled_from(["customer", "carrier", "", "godot"]))
    def wait(self, n: int, who: str, for_whom: str) -> None:
        self.attempt(handling.wait, self.pick(n), by=self.by(who), seen=None, waiting_for=for_whom)

    @rule(n=st.integers(0, 3), who=STAFF)
    def fix(self, n: int, who: str) -> None:
        self.attempt(
            fixing.record_fix, self.pick(n), by=self.by(who), seen=None, done="sent again", cause="bank"
        )

    @rule(n=st.integers(0, 3), who=STAFF, reference=st.sampled_from(["", "re_123"]))
    def verify(self, n: int, who: str, reference: str) -> None:
        self.attempt(
            fixing.verify,
            self.pick(n),
            by=self.by(who),
            seen=None,
            proof="payment_record",
            what_was_seen="the money left",
            reference=reference,
        )

    @rule(n=st.integers(0, 3), who=STAFF)
    def find_wanting(self, n: int, who: str) -> None:
        self.attempt(
            fixing.find_wanting, self.pick(n), by=self.by(who), seen=None, what_was_seen="still nothing"
        )

    @rule(n=st.integers(0, 3), who=STAFF, hours=HOURS)
    def tell(self, n: int, who: str, hours: float) -> None:
        self.attempt(
            telling.tell, self.pick(n), by=self.by(who), seen=None, text="done", next_word_at=self.soon(hours)
        )

    @rule(n=st.integers(0, 3), who=STAFF)
    def ask(self, n: int, who: str) -> None:
        self.attempt(telling.ask_again, self.pick(n), by=self.by(who), seen=None, next_word_at=self.soon(30))

    @rule(
        n=st.integers(0, 3),
        answer=st.sampled_from(["all_good", "partly", "not_good", "maybe"]),
        words=st.one_of(st.just(""), WORDS),
    )
    def confirm(self, n: int, answer: str, words: str) -> None:
        case = self.pick(n)
        telling_row = case.tellings.order_by("-id").first()
        if telling_row is not None:
            by = actors.customer(case.customer_id)
            self.attempt(telling.confirm, case, by=by, telling_id=telling_row.pk, answer=answer, words=words)

    @rule(n=st.integers(0, 3), who=STAFF, answer=st.sampled_from(["all_good", "partly"]))
    def record_confirmation(self, n: int, who: str, answer: str) -> None:
        self.attempt(
            telling.record_confirmation,
            self.pick(n),
            by=self.by(who),
            seen=None,
            answer=answer,
            words="fine",
            channel="phone",
        )

    @rule(n=st.integers(0, 3), who=st.sampled_from(["minji", "sujin", "kang"]))
    def close_by_hand(self, n: int, who: str) -> None:
        self.attempt(closing.close, self.pick(n), by=self.by(who))

    @rule(n=st.integers(0, 3), who=STAFF, how=st.sampled_from(["unconfirmed", "disagreed", "withdrawn"]))
    def end_otherwise(self, n: int, who: str, how: str) -> None:
        case, by = self.pick(n), self.by(who)
        if how == "unconfirmed":
            self.attempt(closing.end_unconfirmed, case, by=by, seen=None)
        elif how == "disagreed":
            self.attempt(
                closing.end_disagreed,
                case,
                by=by,
                seen=None,
                text="We see it otherwise.",
                outside_route="1372",
            )
        else:
            self.attempt(closing.withdraw, case, by=by, seen=None, words="never mind")

    @rule(n=st.integers(0, 3), who=STAFF)
    def reopen(self, n: int, who: str) -> None:
        self.attempt(closing.reopen, self.pick(n), by=self.by(who), why="it came back")

    @rule(n=st.integers(0, 3), m=st.integers(0, 3), who=STAFF)
    def merge(self, n: int, m: int, who: str) -> None:
        self.attempt(joining.merge, self.pick(n), self.pick(m), by=self.by(who), seen=None)

    @rule(
        n=st.integers(0, 3),
        m=st.integers(0, 3),
        who=STAFF,
        relation=st.sampled_from(["child", "parent", "related"]),
    )
    def link(self, n: int, m: int, who: str, relation: str) -> None:
        self.attempt(joining.link, self.pick(n), self.pick(m), by=self.by(who), seen=None, relation=relation)

    @rule(n=st.integers(0, 3), m=st.integers(0, 3), who=STAFF)
    def unlink(self, n: int, m: int, who: str) -> None:
        self.attempt(joining.unlink, self.pick(n), self.pick(m), by=self.by(who), seen=None)

    @rule(n=st.integers(0, 3), who=STAFF)
    @precondition(lambda self: Case.objects.count() < 5)
    def split(self, n: int, who: str) -> None:
        case = self.pick(n)
        last = case.messages.filter(author="customer").order_by("-id").first()
        self.attempt(
            joining.split,
            case,
            [last.pk] if last else [],
            by=self.by(who),
            seen=None,
            subject="the other thing",
        )

    @rule(
        n=st.integers(0, 3),
        who=STAFF,
        what=st.sampled_from(["call_back", "decision", "remedy", "other", "next_word"]),
        hours=HOURS,
    )
    def promise(self, n: int, who: str, what: str, hours: float) -> None:
        fields = {"what": what, "due_at": self.soon(hours), "words": "x"}
        self.attempt(promising.promise, self.pick(n), by=self.by(who), seen=None, **fields)

    @rule(n=st.integers(0, 3), who=STAFF, reached=st.booleans(), hours=HOURS)
    def call(self, n: int, who: str, reached: bool, hours: float) -> None:
        fields = {"words": "called", "reached": reached, "next_word_at": self.soon(hours)}
        self.attempt(promising.record_call, self.pick(n), by=self.by(who), seen=None, **fields)

    @rule(n=st.integers(0, 3), m=st.integers(0, 9), who=STAFF, keep=st.booleans())
    def settle_by_hand(self, n: int, m: int, who: str, keep: bool) -> None:
        case = self.pick(n)
        rows = list(Promise.objects.filter(case=case).order_by("id"))
        which = rows[m % len(rows)].pk if rows else 0
        if keep:
            self.attempt(promising.keep_promise, case, which, by=self.by(who), seen=None, proof="sent")
        else:
            self.attempt(promising.withdraw_promise, case, which, by=self.by(who), seen=None, reason="no")

    @rule(n=st.integers(0, 3), who=STAFF, hours=HOURS, word=st.sampled_from([None, 2.0, 40.0]))
    def snooze(self, n: int, who: str, hours: float, word: float | None) -> None:
        fields = {"until": self.soon(hours), "reason": "bank", "next_word_at": word and self.soon(word)}
        self.attempt(snoozing.snooze, self.pick(n), by=self.by(who), seen=None, **fields)

    @rule(n=st.integers(0, 3), answer=st.sampled_from(["yes", "no", "?"]))
    def answer_follow_up(self, n: int, answer: str) -> None:
        case = self.pick(n)
        by = actors.customer(case.customer_id)
        self.attempt(following_up.answer_follow_up, case, by=by, answer=answer)

    @rule()
    def sweep(self) -> None:
        sweep.tick()
        assert not Promise.objects.filter(set_back__gt=0).exists(), (
            "the sweep met a row that it cannot work through"
        )
        assert not Appointment.objects.filter(set_back__gt=0).exists()

    @rule(hours=st.sampled_from([1, 26, 24 * 8]))
    def time_passes(self, hours: int) -> None:
        self.time.__exit__(None, None, None)
        self.now += timedelta(hours=hours)
        self.time = clock.travel(self.now)
        self.time.__enter__()

    @invariant()
    def no_gap_in_seq(self) -> None:
        for case in Case.objects.all():
            assert [*case.events.values_list("seq", flat=True)] == [*range(1, case.version + 1)]

    @invariant()
    def nothing_is_made_good_without_verification_and_the_customers_word(self) -> None:
        for case in Case.objects.filter(ended_as="made_good"):
            Desk.reached_made_good += 1
            closure = Closure.objects.get(case=case)
            assert closure.round == case.round == closure.verification.round == closure.confirmation.round
            assert closure.confirmation.answer == "all_good"
            assert closure.verification.at <= closure.telling.at <= closure.confirmation.at
        assert not Closure.objects.exclude(case__ended_as="made_good").exists()

    @invariant()
    def urgency_never_falls_silently(self) -> None:
        for case in Case.objects.all():
            level, version = self.levels.get(case.pk, (0, 0))
            if case.urgency < level:
                lowered = case.events.filter(
                    seq__gt=version, kind="urgency_lowered", data__to_level__lte=case.urgency
                )
                assert lowered.exists() and case.lowerings.exists()
            self.levels[case.pk] = (case.urgency, case.version)

    @invariant()
    def an_open_case_has_a_next_moment_and_no_ended_parent(self) -> None:
        for case in Case.objects.exclude(status="ended"):
            assert case.due_at is not None
            assert case.parent is None or case.parent.status != "ended"

    @invariant()
    def nothing_open_is_ever_without_a_next_moment(self) -> None:
        """Every open case has a promise or an appointment that the sweep will look at, and the customer is owed a word."""
        for case in Case.objects.exclude(status="ended"):
            looked_at = Promise.objects.filter(case=case, state="open", look_at__isnull=False)
            assert looked_at.filter(what__in=WORDS_OWED, to="customer").exists(), (
                f"{case}: no word is promised"
            )
        for model in (Promise, Appointment):
            assert not model.objects.filter(state="open", look_at__isnull=True).exists()

    @invariant()
    def nothing_ended_is_ever_waited_for(self) -> None:
        ended = Case.objects.filter(status="ended")
        assert not Promise.objects.filter(case__in=ended, state="open").exists()
        assert (
            not Appointment.objects.filter(case__in=ended, state="open")
            .exclude(what__in=("follow_up", "secure"))
            .exists()
        )
        assert not ended.filter(snoozed_until__isnull=False).exists()

    @invariant()
    def a_break_is_an_event_dated_by_when_it_became_true(self) -> None:
        for row in Promise.objects.filter(state="broken"):
            told = row.case.events.filter(kind="promise_broken", data__promise=row.pk)
            assert [e.true_at for e in told] == [row.settled_at], row.pk

    @invariant()
    def only_its_act_keeps_a_promise(self) -> None:
        for row in Promise.objects.filter(state="kept").select_related("proof", "proof_event"):
            assert row.settled_at <= row.due_at
            if row.what in WORDS_OWED:
                assert row.proof.audience == "customer" and row.proof.author == "staff"
            elif row.what == "call_back" and row.to == "customer":
                assert row.proof_event.kind == "called"


@pytest.mark.slow
def test_the_laws_hold_whatever_is_done(db):
    Desk.TestCase.settings = settings(
        max_examples=50,
        stateful_step_count=36,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    state = Desk.TestCase("runTest")
    state.runTest()
    assert Desk.reached_made_good, "no walk reached the end of the loop: the machine proves nothing"
