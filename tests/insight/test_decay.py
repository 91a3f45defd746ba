"""What hand-offs cost, in small logs that can be counted by hand and in the real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from makegood.escalation.hops import Moment
from makegood.insight import study
from makegood.insight.decay import decay

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cases"


def log(*steps: tuple[int, str]) -> list[Moment]:
    return [Moment(START + timedelta(hours=hour), team) for hour, team in steps]


def test_waits_bounces_and_missed_deadlines_are_counted_by_the_hop():
    stays = (log((0, "front"), (1, "front")), False)
    goes = (log((0, "front"), (1, "finance"), (5, "finance")), False)
    bounces = (log((0, "front"), (2, "finance"), (4, "front"), (14, "front")), True)
    found = decay([stays, goes, bounces], START + timedelta(days=1))
    assert found.cases == 3 and found.waits == {1: (3.0, 2), 2: (10.0, 1)}
    assert (found.bounced.part, found.bounced.whole) == (1, 3)
    assert {n: share.value for n, share in found.missed.items()} == {0: 0, 1: 0, 2: 1}
    assert found.missed_by_bounce[True].value == 1 and found.missed_by_bounce[False].value == 0


def test_a_hand_off_that_nobody_touched_weighs_with_all_its_wait():
    found = decay([(log((0, "a"), (1, "b")), None)], START + timedelta(hours=21))
    assert found.waits == {1: (20.0, 1)} and not found.missed


@pytest.mark.django_db
def test_a_log_is_kept_whole_or_not_at_all(tmp_path, capsys):
    good = tmp_path / "desk.csv"
    good.write_text(
        "id,when,who,ok\n1,2026-11-01T09:00,A,true\n1,2026-11-01T10:00,B,false\n1,2026-11-01T16:00,B,false\n"
    )
    columns = {"case": "id", "at": "when", "team": "who", "in_time": "ok"}
    call_command("load-hand-offs", str(good), **columns)
    assert study.names() == [("desk", 3)] and study.figures("desk").waits == {1: (6.0, 1)}
    assert study.figures("desk").missed[1].value == 1
    bad = tmp_path / "desk2.csv"
    bad.write_text("id,when,who,ok\n1,2026-11-01T09:00,A,true\n1,yesterday,B,false\n")
    with pytest.raises(CommandError, match="Row 2"):
        call_command("load-hand-offs", str(bad), name="desk", **columns)
    assert study.names() == [("desk", 3)]
    with pytest.raises(CommandError, match="no column"):
        call_command("load-hand-offs", str(good), case="id", at="when", team="team")


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(
    not REAL.is_dir(), reason="the real case logs (../shared/data/cases) are not on this machine"
)
def test_the_published_figures_come_out_of_the_real_logs(capsys):
    uci, volvo = REAL / "uci_incident_event_log.parquet", REAL / "bpic13_incidents.parquet"
    call_command("load-hand-offs", str(uci), case="number", at="sys_updated_at", at_format="%d/%m/%Y %H:%M",
                 team="assignment_group", person="sys_updated_by", in_time="made_sla")  # fmt: skip
    call_command(
        "load-hand-offs", str(volvo), case="case:concept:name", at="time:timestamp", team="org:group"
    )
    desk, mechanics = study.figures(uci.stem), study.figures(volvo.stem)
    # shared/data/README.md: 8.9 % and 15.6 % bounce; missed 33 % without and 70 % with a bounce, 91.4 % with six hops
    # or more; medians of 4.1, 6.1 and 6.8 hours. Ours is a part of those sets (missed 42.8 % in it, 36.6 % in all).
    assert desk.bounced.value == pytest.approx(0.089, abs=0.006)
    assert mechanics.bounced.value == pytest.approx(0.156, abs=0.006)
    for nth, hours in {1: 4.1, 2: 6.1, 4: 6.8}.items():
        assert desk.waits[nth][0] == pytest.approx(hours, abs=1)
    assert desk.waits[1][0] < desk.waits[2][0] < desk.waits[4][0]
    assert desk.missed[6].value > 0.85 > desk.missed[0].value + 0.4
    assert desk.missed_by_bounce[True].value > desk.missed_by_bounce[False].value + 0.3
