"""How well the packs hear: precision and recall on labelled real messages, and the time a message takes.

``python -m bench.signals ../shared/data/text``. The labels stand in ``tests/data/signals``, without texts; how they were given
is told in ``docs/mechanisms/signals.md``. A message counts once for each signal, however often it is said.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow.parquet as parquet
from rich.console import Console
from rich.table import Table

from bench.signals_draw import hash_of, text_of
from makegood.base.languages import EN, KO, ZH
from makegood.text import lexicon, signals

LANGUAGES = (KO, ZH, EN)
LABELS = Path(__file__).resolve().parent.parent / "tests" / "data" / "signals"
#: Of what is fixed or not: these propose, and demand no level (``signals_silent`` of the policy).
SILENT = "outcome."
FEW = 5


@dataclass(frozen=True)
class Labelled:
    """A message with what its reader heard, and what the pack finds."""

    language: str
    stratum: str
    split: str
    text: str
    labels: frozenset[str]

    @property
    def found(self) -> frozenset[str]:
        """The ids that the pack of its language finds."""
        return frozenset(signal.id for signal in signals.find(self.text, self.language))


@dataclass(frozen=True)
class Score:
    """Right, wrong and missed, counted over messages and signals."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of what was found that is there; 0 when nothing was found."""
        return self.right / (self.right + self.wrong) if self.right else 0.0

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 0 when nothing was found."""
        return self.right / (self.right + self.missed) if self.right else 0.0


@cache
def _rows(path: Path) -> list[str]:
    return [text_of(row) for row in parquet.read_table(path).to_pylist()]


def labelled(data: Path, language: str) -> Iterator[Labelled]:
    """The labelled messages of a language with their texts from ``data``. ValueError when a text is another one."""
    for line in (LABELS / f"{language}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        text = _rows(data / row["file"])[row["row"]]
        if hash_of(text) != row["sha256"]:
            raise ValueError(f"{row['file']} row {row['row']} is not the text that was labelled")
        yield Labelled(language, row["stratum"], row["split"], text, frozenset(row["labels"]))


def score(messages: Iterable[Labelled], only: str = "") -> Score:
    """Counted over all signals that demand a level, or over the one that is named."""
    right = wrong = missed = 0
    for message in messages:
        found, labels = (
            {s for s in ids if (s == only if only else not s.startswith(SILENT))}
            for ids in (message.found, message.labels)
        )
        right += len(found & labels)
        wrong += len(found - labels)
        missed += len(labels - found)
    return Score(right, wrong, missed)


def milliseconds(messages: list[Labelled], rounds: int = 5) -> tuple[float, float, float]:
    """(median of all signals, 99th of a hundred, median of folding alone) of a message, each read afresh."""
    finding, folding = [], []
    for message in messages * rounds:
        lexicon.folded.cache_clear()
        began = time.perf_counter()
        lexicon.folded(message.text)
        folding.append(time.perf_counter() - began)
        lexicon.folded.cache_clear()
        began = time.perf_counter()
        signals.find(message.text, message.language)
        finding.append(time.perf_counter() - began)
    return (
        statistics.median(finding) * 1e3,
        statistics.quantiles(finding, n=100)[-1] * 1e3,
        statistics.median(folding) * 1e3,
    )


def _row(name: str, scored: Score) -> tuple[str, ...]:
    n = scored.right + scored.missed
    return (
        name,
        str(n),
        f"{scored.precision:.2f}",
        f"{scored.recall:.2f}",
        str(scored.wrong),
        str(scored.missed),
    )


def report(data: Path, console: Console) -> None:
    """The tables: by split and stratum, by signal, and the time."""
    for language in LANGUAGES:
        all_ = list(labelled(data, language))
        table = Table(
            "", "said", "precision", "recall", "wrong", "missed", title=language, title_justify="left"
        )
        for split in sorted({m.split for m in all_}, reverse=True):
            own = [m for m in all_ if m.split == split]
            table.add_row(*_row(f"{split} ({len(own)})", score(own)), style="bold")
            for stratum in ("random", "enriched"):
                table.add_row(*_row(f"  {stratum}", score([m for m in own if m.stratum == stratum])))
            said = Counter(label for m in own for label in m.labels)
            for signal in sorted(said):
                if said[signal] >= FEW:
                    table.add_row(*_row(f"    {signal}", score(own, signal)), style="dim")
        console.print(table)
        median, slow, fold = milliseconds(all_)
        console.print(
            f"all signals of a message: p50 {median:.2f} ms, p99 {slow:.2f} ms; folding alone {fold:.3f} ms "
            f"({median / fold:.0f} times)\n"
        )


if __name__ == "__main__":
    report(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/text"), Console(width=100))
