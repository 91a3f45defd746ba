"""Each finding says in one plain sentence what is the matter, in the reader's language, with nothing left open."""

from __future__ import annotations

import pytest

from makegood.base.languages import EN, speaking
from makegood.packs.watching import processes
from makegood.watch import findings
from makegood.watch.plan import DAY, DUPLICATE, HOUR, MISMATCH, OVERTAKEN, RECURRENCE, STUCK, SYSTEMIC
from makegood.watch.state import BY_HOURS, BY_ODDS, BY_PEERS, BY_PROMISE, BY_SHARE
from makegood.watch.words import SENTENCES, all_names, explain, sentence
from tests.watch.streams import NOON, plan_of

PLAN = plan_of("invoice")
STEP = PLAN.codes.index("invoice.issue")


def one(kind: int, **columns: object) -> findings.Findings:
    told = {
        "at": NOON + 5 * HOUR, "since": NOON, "due": NOON + HOUR, "promise": NOON + DAY, "limit": 32 * 60_000_000,
        "typical": 5 * 60_000_000, "rare": 0.001, "count": 400, "other_at": NOON + HOUR // 4, "overtakes": 1,
        "expected": 61.0, "rule": STEP, **columns,
    }  # fmt: skip
    return findings.make(1, kind=kind, **told)


SAID = [
    (one(STUCK, reason=BY_HOURS), "Issuing the invoice has taken 5 hours; 995 of 1,000 like it take less than 32 minutes."),
    (one(STUCK, reason=BY_SHARE), "999 of 1,000 like it were done by this age."),
    (one(STUCK, reason=BY_PROMISE), "was promised for"),
    (one(STUCK, reason=BY_ODDS), "will hardly be in time"),
    (one(STUCK, reason=BY_PEERS), "the few known so far took about 5 minutes."),
    (one(STUCK, incident=7), "all of this lane is slow just now."),
    (one(OVERTAKEN), "In this lane nobody was overtaken among the last 400."),
    (one(DUPLICATE), "the same thing was recorded at"),
    (one(MISMATCH), "still missing after 5 hours."),
    (one(SYSTEMIC, observed=0, count=412), "0 finished, 61 expected; 412 wait. One incident."),
    (one(RECURRENCE, observed=3, expected=0.1, since=NOON - 60 * DAY, due=NOON), "3 times in 60 days; 0.1 is usual."),
    (one(STUCK, state=findings.RECOVERED), "Please look whether all is well."),
    (one(STUCK, state=findings.PAST), "took 5 hours, longer than it may, and is done."),
]  # fmt: skip


@pytest.mark.parametrize(("finding", "said"), SAID)
def test_a_finding_explains_itself(finding: findings.Findings, said: str) -> None:
    with speaking(EN):
        assert said in sentence(*explain(PLAN, finding[0]), all_names(processes()))


def test_every_sentence_is_used_by_some_finding_and_takes_what_the_finding_gives() -> None:
    assert {explain(PLAN, finding[0])[0] for finding, _ in SAID} == set(SENTENCES)


@pytest.mark.parametrize("language", ["ko", "zh-hans", "en"])
def test_no_placeholder_is_left_in_any_language(language: str) -> None:
    with speaking(language):
        for finding, _ in SAID:
            text = sentence(*explain(PLAN, finding[0]), all_names(processes()))
            assert "%" not in text.replace(" %", "")
            assert "invoice.issue" not in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "recorded twice at"), (40, "again 40 seconds later"), (300, "again 5 minutes later")],
)
def test_how_long_after_one_another_is_said_and_never_zero_seconds(seconds: int, said: str) -> None:
    twice = one(DUPLICATE, other_at=NOON + seconds * 1_000_000)
    with speaking(EN):
        assert said in sentence(*explain(PLAN, twice[0]), all_names(processes()))
