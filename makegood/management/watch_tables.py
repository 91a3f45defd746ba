"""What ``bin/manage watch`` prints: findings, what happened to the events, and how good the alarms were."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from makegood.packs.watch_shapes import DETECTORS
from makegood.watch.findings import PAST, RECOVERED, Findings
from makegood.watch.plan import Plan
from makegood.watch.replay.judging import LEADS, Row
from makegood.watch.replay.mapping import Mapping
from makegood.watch.replay.reading import Log
from makegood.watch.replay.running import Run
from makegood.watch.words import all_names, duration, explain, sentence

Judged = tuple[list[Row], list[Row]]


def print_findings(
    console: Console, plan: Plan, mapping: Mapping, log: Log, found: Findings, most: int, since: int
) -> None:
    """The findings of highest rank in the order of time, each with its sentence and how long before the end it came."""
    names = all_names({p.code: p for p in mapping.processes})
    shown = found[(found["state"] != RECOVERED) & (found["at"] > since)]
    shown = shown[np.argsort(-shown["rank"], kind="stable")[:most]]
    table = Table(title=f"{len(shown)} of the findings, by rank")
    for head in ("noticed", "transaction", "what", "sentence", "before it ended"):
        table.add_column(head, overflow="fold")
    ends = _ends(found)
    for finding in shown[np.argsort(shown["due"], kind="stable")]:
        code, data = explain(plan, finding)
        tx = int(finding["tx"])
        table.add_row(
            _moment(int(finding["due"])), log.names.get(tx, "") if tx else "", DETECTORS[int(finding["kind"])],
            sentence(code, data, names), _before(finding, ends),
        )  # fmt: skip
    console.print(table)


def _ends(found: Findings) -> dict[int, int]:
    over = found[found["state"] == RECOVERED]
    return dict(zip(over["id"].tolist(), over["due"].tolist(), strict=True))


def _before(finding: np.void, ends: dict[int, int]) -> str:
    if finding["state"] == PAST:
        return duration((int(finding["since"]) + _took(finding) - int(finding["due"])) / 1e6)
    end = ends.get(int(finding["id"]))
    return duration((end - int(finding["due"])) / 1e6) if end else "never ended"


def _took(finding: np.void) -> int:
    return int(finding["ended"]) - int(finding["since"])


def print_summary(console: Console, runs: list[tuple[float | None, Plan, Run]], since: int) -> None:
    """How many of each kind, for each alpha that was tried; and what became of the events."""
    table = Table(title="Findings" + (" after the day up to which was learned" if since else ""))
    table.add_column("alpha")
    for kind in (*DETECTORS, "recovered", "per 1,000 steps"):
        table.add_column(kind, justify="right")
    for alpha, _, done in runs:
        found = done.findings[done.findings["at"] > since]
        told = found[found["state"] != RECOVERED]
        counts = [str(int(np.count_nonzero(told["kind"] == kind))) for kind in range(len(DETECTORS))]
        recovered = int(np.count_nonzero(found["state"] == RECOVERED))
        opened = max(done.numbers.get("opened", 0), 1)
        steps = np.count_nonzero((told["kind"] <= 1) & (told["tx"] != 0))
        table.add_row(
            "as written" if alpha is None else f"{alpha:g}",
            *counts,
            str(recovered),
            f"{1000 * steps / opened:.1f}",
        )
    console.print(table)
    for name, value in runs[0][2].numbers.items():
        if value:
            console.print(f"  {name:10s} {value:>12,d}")


def print_judged(console: Console, judged: Judged) -> None:
    """The two tables; lead in days before it was too late."""
    titles = (
        "Limits from the past alone, tuned weekly and steered by what came true",
        "Thresholds at equal false alarms on the part judged",
    )
    for title, rows in zip(titles, judged, strict=True):
        table = Table(title=title)
        table.add_column("rule")
        for head in ("budget", "false alarms", *(f"recall, {lead} d" for lead in LEADS)):
            table.add_column(head, justify="right")
        for row in rows:
            table.add_row(
                row.name,
                f"{row.budget:.0%}",
                f"{row.score.false:.4f}",
                *(f"{value:.3f}" for value in row.score.recall),
            )
        console.print(table)
    for row in judged[1]:
        if row.shares:
            given = ", ".join(f"{step} {share:.2%}" for step, share in row.shares.items())
            console.print(f"Shared out at {row.budget:.0%}: {given}")
    first = judged[0][0].score
    console.print(f"{first.bad} with trouble, {first.good} without.")


def _moment(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).strftime("%Y-%m-%d %H:%M")
