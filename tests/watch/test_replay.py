"""``bin/manage watch``: a file in, findings out; a wrong file or mapping is named; the real sets keep their bars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from makegood.watch.learn import learn
from makegood.watch.outcomes import told_at
from makegood.watch.pairing import pair
from makegood.watch.plan import STUCK, compile_plan
from makegood.watch.replay.judging import judge
from makegood.watch.replay.mapping import read_mapping
from makegood.watch.replay.reading import read_log
from makegood.watch.replay.running import run
from makegood.watch.replay.truth import truth
from makegood.watch.tuning import told_under

HERE = Path(__file__).parents[2]
REAL = next((f / "shared/data" for f in HERE.parents if (f / "shared/data").is_dir()), None)
real = pytest.mark.skipif(REAL is None, reason="the real logs (../shared/data) are not on this machine")
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)

MAP = """
process = ["invoice"]
[table]
shape = "long"
tx = "number"
at = "when"
event = "what"
zone = "Asia/Seoul"
[events]
"requested" = "invoice.requested"
"issued" = "invoice.issued"
[attributes]
provider = "office"
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """200 invoices of one office in order, and one that was passed by all that came later."""
    random = np.random.default_rng(1)
    rows = []
    ends = BEGIN
    for i in range(200):
        asked = BEGIN + timedelta(minutes=3 * i)
        rows.append((f"A-{i}", asked, "requested"))
        if i == 150:
            continue
        ends = max(ends, asked + timedelta(minutes=float(random.uniform(4, 40))))
        rows.append((f"A-{i}", ends, "issued"))
    rows.append(("A-150", BEGIN + timedelta(hours=30), "issued"))
    path = tmp_path / "invoices.csv"
    lines = [
        f"{n},{at.astimezone(UTC) + timedelta(hours=9):%Y-%m-%d %H:%M:%S},{what},hometax"
        for n, at, what in rows
    ]
    path.write_text("number,when,what,office\n" + "\n".join(lines), "utf-8")
    (tmp_path / "map.toml").write_text(MAP, "utf-8")
    return path


def told(*arguments: object) -> str:
    out = StringIO()
    call_command("watch", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_csv_of_invoices_shows_which_was_overtaken_when_and_how_long_before_it_ended(log: Path) -> None:
    said = told("replay", log, "--map", log.parent / "map.toml", "--tick-minutes", "1", "--show", "3")
    line = next(line for line in said.splitlines() if "overtaken" in line and "A-150" in line)
    assert "2026-03-02 1" in line
    assert "hours" in line
    assert "events" in said


def test_several_alphas_are_compared_in_one_table(log: Path) -> None:
    said = told("replay", log, "--map", log.parent / "map.toml", "--alpha", "0.001", "--alpha", "0.05")
    assert "0.001" in said
    assert "0.05" in said


def test_parquet_with_times_that_have_a_zone_gives_the_same_findings(log: Path) -> None:
    import pyarrow.csv as pv

    table = pv.read_csv(log)
    when = pa.compute.assume_timezone(table["when"].cast(pa.timestamp("us")), "Asia/Seoul")
    other = log.with_suffix(".parquet")
    pq.write_table(table.set_column(table.column_names.index("when"), "when", when), other)
    mapping = read_mapping(log.parent / "map.toml")
    plan = compile_plan(mapping.processes)
    ids = [
        sorted(run(plan, read_log(plan, mapping, path).batch).findings["id"].tolist())
        for path in (log, other)
    ]
    assert ids[0] == ids[1]
    assert ids[0]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('at = "when"', 'at = "then"', "no column 'then'"),
        (
            '"issued" = "invoice.issued"',
            '"issued" = "invoice.done"',
            "no process has the event 'invoice.done'",
        ),
        ('provider = "office"', 'office = "office"', "no process has the attribute 'office'"),
        ('process = ["invoice"]', 'process = ["bill"]', "no process has the code 'bill'"),
        ('zone = "Asia/Seoul"', 'zone = "Seoul"', "no time zone"),
        ('shape = "long"', 'shape = "tall"', "no shape has the code 'tall'"),
        ("[events]", "[happenings]", "unknown key"),
        ('at = "when"', 'at = "what"', "times cannot be read"),
    ],
)
def test_a_wrong_mapping_is_named_and_nothing_is_run(log: Path, old: str, new: str, reason: str) -> None:
    path = log.parent / "map.toml"
    path.write_text(MAP.replace(old, new), "utf-8")
    with pytest.raises(CommandError, match=reason):
        told("replay", log, "--map", path)


def test_a_file_that_is_no_table_is_refused(log: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "picture.parquet"
    wrong.write_bytes(b"PAR1" + bytes(range(256)))
    with pytest.raises(CommandError, match="neither Parquet nor CSV"):
        told("replay", wrong, "--map", log.parent / "map.toml")
    with pytest.raises(CommandError, match="no such file"):
        told("replay", tmp_path / "nothing.csv", "--map", log.parent / "map.toml")


@pytest.mark.parametrize(
    "option",
    [
        ("--alpha", "0"),
        ("--alpha", "0.9"),
        ("--learn-until", "soon"),
        ("--tick-minutes", "0"),
        ("--budget", "5"),
    ],
)
def test_a_wrong_option_is_refused(log: Path, option: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        told("replay", log, "--map", log.parent / "map.toml", *option)


RATED = """
process = ["order"]
[table]
shape = "wide"
tx = "number"
[events]
"order.placed" = "placed"
"order.delivered" = "there"
[moments]
promised_at = "promised"
[judge]
begin = "order.placed"
end = "order.delivered"
late = { moment = "promised_at" }
lead_to = { column = "asked" }
bad = "stars <= 2"
good = "stars >= 4"
"""


def test_the_judge_knows_what_became_of_an_order_no_earlier_than_anybody_could(tmp_path: Path) -> None:
    lines = [
        "number,placed,there,promised,asked,stars",
        "lina,2026-03-02 00:00:00,2026-03-05 00:00:00,2026-03-12 00:00:00,2026-03-06 00:00:00,5",
        # Asked on the 10th, before it was late; that it came too late is known on the 12th.
        "jun,2026-03-02 00:00:00,2026-03-20 00:00:00,2026-03-12 00:00:00,2026-03-10 00:00:00,1",
        "alex,2026-03-02 00:00:00,,2026-03-12 00:00:00,2026-03-14 00:00:00,1",
    ]
    (tmp_path / "orders.csv").write_text("\n".join(lines), "utf-8")
    (tmp_path / "map.toml").write_text(RATED, "utf-8")
    mapping = read_mapping(tmp_path / "map.toml")
    plan = compile_plan(mapping.processes)
    log = read_log(plan, mapping, tmp_path / "orders.csv")
    found = truth(plan, mapping, log)
    known = {
        log.names[tx]: datetime.fromtimestamp(at / 1e6, UTC).day
        for tx, at in zip(found.tx.tolist(), found.known.tolist(), strict=True)
    }
    assert known == {"lina": 6, "jun": 12, "alex": 14}
    assert (int(found.good.sum()), int(found.bad.sum())) == (1, 2)


@real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file", "day", "budget", "lead_day", "lead_week"),
    [
        ("orders", "orders/olist_orders.parquet", "2017-09-01", 0.05, 0.99, 0.30),
        ("money", "money/bpic20_RequestForPayment.parquet", "2018-02-15", 0.08, 0.94, 0.90),
    ],
)
def test_on_real_logs_trouble_is_seen_days_before_at_the_cost_that_the_baselines_have(
    name: str, file: str, day: str, budget: float, lead_day: float, lead_week: float
) -> None:
    mapping = read_mapping(HERE / f"bench/watch/{name}.toml")
    plan = compile_plan(mapping.processes)
    assert REAL is not None
    log = read_log(plan, mapping, REAL / file)
    cut = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1e6)
    honest, equal = judge(plan, log, truth(plan, mapping, log), cut, budgets=[budget])
    found = equal[0].score
    assert found.false <= budget
    assert found.recall[1] > lead_day
    assert found.recall[3] > lead_week
    assert honest[0].score.false <= 1.2 * budget, "told to keep it, knowing only the past"


@real
@pytest.mark.slow
def test_the_kernel_tells_of_the_same_payment_requests_as_the_whole_log_at_once() -> None:
    mapping = read_mapping(HERE / "bench/watch/money.toml")
    plan = compile_plan(mapping.processes)
    assert REAL is not None
    log = read_log(plan, mapping, REAL / "money/bpic20_RequestForPayment.parquet")
    cut = int(datetime(2018, 2, 15, tzinfo=UTC).timestamp() * 1e6)
    known = truth(plan, mapping, log)
    model = learn(plan, log.batch, cut)
    at_once = told_under(plan, model, pair(plan, log.batch), known)
    findings = run(plan, log.batch, model=model, relearn=0, tick=6 * 3_600_000_000).findings
    one_by_one = told_at(known, findings[findings["kind"] == STUCK])
    late = at_once < known.ended
    assert late.sum() > 300
    assert np.array_equal(at_once[late], one_by_one[late])
