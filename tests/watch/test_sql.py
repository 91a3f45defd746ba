"""Learning and finding by SQL: DuckDB on the log of two troubled shops gives what the kernel gives, to the bit."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from makegood.watch.keys import pair_key
from makegood.watch.learn import LEAST, Incident, learn
from makegood.watch.model import Model
from makegood.watch.pairing import pair
from makegood.watch.plan import with_tiers
from makegood.watch.spark import files
from makegood.watch.sql import finding, learning
from tests.watch.streams import MINUTE, NOON
from tests.watch.troubled import OUTAGE, Troubled, played, troubled

pytest.importorskip("duckdb", reason="DuckDB is not here: it comes with the extra 'spark'")
from makegood.watch.sql.engines import Duck


@pytest.fixture(scope="module")
def story() -> Troubled:
    return troubled()


@pytest.fixture(scope="module")
def model(story: Troubled) -> Model:
    return learn(story.plan, story.history, NOON)


def duck(folder: Path, story: Troubled, batch: object = None) -> Duck:
    files.write_all(folder, story.plan, story.log if batch is None else batch, 5_000)
    return Duck(story.plan, folder)


def alike(one: Model, other: Model) -> None:
    for field in fields(Model):
        mine, theirs = np.asarray(getattr(one, field.name)), np.asarray(getattr(other, field.name))
        assert mine.shape == theirs.shape and np.array_equal(mine, theirs), field.name


def test_what_sql_learns_is_what_the_kernel_learns(tmp_path: Path, story: Troubled, model: Model) -> None:
    learned = learning.learn(duck(tmp_path, story, story.history), story.plan, NOON)
    assert len(learned.cohort) > 30 and len(learned.lane) and learned.odds.any() and learned.shares.any()
    alike(model, learned)


def test_below_a_cohort_that_is_too_small_nobody_is_their_own_whole_truth(
    tmp_path: Path, story: Troubled
) -> None:
    """A customer with six orders is like everybody, and so is that customer in one shop: six are no curve."""
    customer, shop = (story.plan.attributes.index(name) for name in ("customer", "shop"))
    chain = ((customer,), tuple(sorted((customer, shop))))
    narrow = replace(story, plan=replace(story.plan, cohorts=tuple(chain for _ in story.plan.codes)))
    learned = learn(narrow.plan, story.history, NOON)
    inside = ~np.isin(learned.cohort, narrow.plan.keys)
    assert (learned.count[inside] >= LEAST).all()
    assert len(learned.cohort) >= 3
    alike(learned, learning.learn(duck(tmp_path, narrow, story.history), narrow.plan, NOON))


def test_a_known_outage_is_left_out_of_learning_by_sql_too(tmp_path: Path, story: Troubled) -> None:
    end = int(story.log.at[-1])
    begun, over = (NOON + m * MINUTE for m in OUTAGE)
    engine = duck(tmp_path, story)
    capture = story.plan.codes.index("payment.capture")
    every, lane = learning.learn(engine, story.plan, end), int(_lanes(story, capture)[0])
    for fault in (Incident(begun, over, "payment.capture"), Incident(begun, over, "payment.capture", lane)):
        learned = learning.learn(engine, story.plan, end, incidents=[fault])
        alike(learn(story.plan, story.log, end, incidents=[fault]), learned)
        of = int(np.flatnonzero(learned.cohort == story.plan.keys[capture])[0])
        before = int(np.flatnonzero(every.cohort == story.plan.keys[capture])[0])
        assert learned.count[of] < every.count[before], "what the outage held up teaches nothing"


def _lanes(story: Troubled, step: int) -> np.ndarray:
    """The lanes of a step, the busiest first."""
    history = pair(story.plan, story.log)
    lanes, count = np.unique(history.lane[history.step == step], return_counts=True)
    return lanes[np.argsort(-count)]


def test_sql_finds_what_the_kernel_finds(tmp_path: Path, story: Troubled, model: Model) -> None:
    told = finding.defined(story.plan, played(story, model))
    by_sql = finding.found(duck(tmp_path, story), story.plan, model, story.until)
    assert {kind for kind, _id in told} == {0, 2, 3}, "stuck, duplicate and mismatch all happen here"
    assert by_sql == told and len(told) > 100


def test_limits_of_a_shop_and_of_a_lane_hold_in_sql_too(
    tmp_path: Path, story: Troubled, model: Model
) -> None:
    plan = story.plan
    history = pair(plan, story.log)
    busiest = {step: int(_lanes(story, step)[0]) for step in np.unique(history.step).tolist()}
    shop = int(story.log.attributes[plan.attributes.index("shop")][0])
    factors = dict.fromkeys(busiest.values(), 0.1)
    factors |= {
        pair_key(int(key), shop): 0.02
        for key, flavour in zip(plan.keys, plan.flavour, strict=True)
        if not flavour
    }
    strict = replace(story, plan=with_tiers(plan, factors))
    told = finding.defined(strict.plan, played(strict, model))
    by_sql = finding.found(duck(tmp_path, strict), strict.plan, model, story.until)
    assert by_sql == told
    assert told < finding.defined(plan, played(story, model)), "less is told, and nothing else"


def test_sql_that_looks_earlier_tells_less(tmp_path: Path, story: Troubled, model: Model) -> None:
    early = NOON + 4 * 60 * MINUTE
    engine = duck(tmp_path, story)
    assert finding.found(engine, story.plan, model, early) < finding.found(
        engine, story.plan, model, story.until
    )


def test_a_file_from_before_a_process_was_added_is_read(
    tmp_path: Path, story: Troubled, model: Model
) -> None:
    rows = files.table(story.plan, story.log).drop_columns(["a_items", "m_refund_due"])
    files.write(tmp_path, rows)
    engine = Duck(story.plan, tmp_path)
    blind = replace(story.log, attributes=tuple(
        np.zeros_like(a) if name == "items" else a for name, a in zip(story.plan.attributes, story.log.attributes, strict=True)
    ))  # fmt: skip
    told = finding.defined(story.plan, played(replace(story, log=blind), model))
    assert finding.found(engine, story.plan, model, story.until) == told


def test_an_empty_folder_is_said(tmp_path: Path, story: Troubled) -> None:
    with pytest.raises(FileNotFoundError, match="holds no file of a log"):
        Duck(story.plan, tmp_path)
