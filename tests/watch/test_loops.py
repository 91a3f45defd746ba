"""The compiled loops: a table that forgets and grows as a dictionary would, keys as everywhere else, a cache that finds a place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import makegood
from makegood.watch import loops
from makegood.watch.inversions import overtakes
from makegood.watch.keys import chain, mix, pair_keys
from makegood.watch.memory import Memory
from makegood.watch.table import Index

ROOT = Path(makegood.__file__).parents[1]
numbers = st.lists(st.integers(0, 60), max_size=40)


def keys(of: list[int] | range) -> np.ndarray:
    """Keys that crowd in few slots: their upper halves differ in a few bits only."""
    return np.array([(n % 7) << 32 | (n + 1) for n in of], np.uint64)


@given(st.lists(st.tuples(st.booleans(), numbers), max_size=12))
@settings(max_examples=80, deadline=None)
def test_a_table_holds_what_a_dictionary_would(story: list[tuple[bool, list[int]]]) -> None:
    index, known = Index(0), dict[int, int]()
    for adds, some in story:
        wanted = keys(some)
        if adds:
            rows, made = index.claim(wanted)
            for key, row, new in zip(wanted.tolist(), rows.tolist(), made.tolist(), strict=True):
                assert new == (key not in known)
                assert known.setdefault(key, row) == row
        else:
            rows = index.find(keys(sorted(set(some))))
            index.drop(rows[rows >= 0])
            for key in wanted.tolist():
                known.pop(key, None)
        every = keys(range(61))
        assert index.find(every).tolist() == [known.get(key, -1) for key in every.tolist()]
        assert sorted(index.rows().tolist()) == sorted(known.values()) and len(index) == len(known)


def test_a_table_grows_in_the_middle_of_a_batch_and_a_half_full_one_is_left_alone() -> None:
    index = Index()
    first = mix(np.arange(1, 200_001, dtype=np.uint64))
    rows, made = index.claim(np.concatenate([first, first[::-1]]))
    assert made[:200_000].all() and not made[200_000:].any()
    assert np.array_equal(rows[:200_000], rows[200_000:][::-1])
    rows, slots = rows[:200_000], len(index.slots)
    for _ in range(20):  # orders come and go
        index.drop(rows[:100_000])
        again, _ = index.claim(first[:100_000])
        rows[:100_000] = again
    assert len(index.slots) == slots and np.array_equal(index.find(first), rows)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(0, 9), st.integers(0, 4)), max_size=30),
    st.integers(0, 30),
)
@settings(max_examples=60, deadline=None)
def test_of_what_is_remembered_the_latest_counts_in_whatever_order_it_came(
    told: list[tuple[int, int, int]], cut: int
) -> None:
    memory = Memory(100)
    memory.turn(0)
    for now, part in ((100, told[:cut]), (150, told[cut:])):
        key, at, value = (np.array([one[i] for one in part], np.int64) for i in range(3))
        memory.write(key.astype(np.uint64), at, value.astype(np.uint64))
        memory.turn(now)  # after the first part its generation is the older one
    wanted = list(range(1, 7))
    best = {k: max((at, value) for key, at, value in told if key == k) for k, _, _ in told}
    known, at, value = memory.latest(np.array(wanted, np.uint64))
    assert known.tolist() == [key in best for key in wanted]
    found = list(zip(at.tolist(), value.tolist(), strict=True))
    assert [one for one, there in zip(found, known, strict=True) if there] == [
        best[k] for k in wanted if k in best
    ]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=60))
@settings(max_examples=60, deadline=None)
def test_overtakes_are_those_opened_later_and_ended_before(spans: list[tuple[int, int]]) -> None:
    opened, ended = (np.array([span[i] for span in spans], np.int64) for i in (0, 1))
    want = [sum(o > a and e < b for o, e in spans) for a, b in spans]
    assert overtakes(opened, ended).tolist() == want


def test_keys_of_the_loops_are_those_of_everybody_else() -> None:
    """Names of findings stand in the house's tables: a loop that mixed otherwise would tell everything a second time."""
    random = np.random.default_rng(1)
    first, second = (random.integers(0, 1 << 63, 1000).astype(np.uint64) for _ in range(2))
    out = first.copy()
    loops.pair_at(out, second[::-1].copy(), np.arange(1000)[::-1].copy())
    assert np.array_equal(out, pair_keys(first, second))
    start, steps = np.array([0, 2, 3]), np.array([1, 0, 1])
    event, steps_keys = random.integers(0, 2, 1000).astype(np.int16), first[:2]
    place, step, at, key = loops.touched(event, second, np.arange(1000), start, steps, steps_keys)
    assert np.array_equal(key, mix(second[place] ^ steps_keys[step])) and np.array_equal(at, place)
    assert len(place) == 1000 + np.count_nonzero(event == 0)
    assert int(chain(5, (first,), 1000)[0]) == int(pair_keys(np.array([5], np.uint64), first[:1])[0])


PROGRAM = """
import sys
import numpy as np
from makegood.watch import advance, learn, loops, snapshot  # what the watch starts with
assert "numba" not in sys.modules, "the watch's start waits for the compiler"
slots = np.zeros(4, np.uint64)
loops.lay(slots, np.array([2 << 32 | 7], np.uint64))
assert slots.tolist() == [0, 0, 2 << 32 | 7, 0]
import numba
print(numba.config.CACHE_DIR)
"""


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    own = ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TMPDIR")
    bare = {name: value for name, value in os.environ.items() if name not in own}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**bare, **environment}, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip


def test_the_watch_starts_without_the_compiler_and_keeps_what_it_compiles_beside_nobodys_source(
    tmp_path: Path,
) -> None:
    done = run(HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / ".cache" / "makegood" / "numba")
    assert list((tmp_path / ".cache").rglob("*.nbi"))
    assert not list((ROOT / "makegood").rglob("*.nbi")), "nothing lands in the work tree"


def test_without_a_home_to_write_in_it_goes_on(tmp_path: Path) -> None:
    """A bare machine: no home, or a file where the cache should be; and a folder that others may write is not trusted."""
    (tmp_path / "file").write_text("")
    shared, folder = tmp_path / "shared", f"makegood-numba-{os.getuid()}"
    (shared / folder).mkdir(parents=True)
    (shared / folder).chmod(0o777)
    for environment in ({"TMPDIR": str(tmp_path)}, {"HOME": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}):
        done = run(**environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(tmp_path / folder)
    done = run(TMPDIR=str(shared))
    assert done.returncode == 0, done.stderr
    assert not list(shared.rglob("*.nbi")), "what others could have put there is not run"


@pytest.mark.parametrize("fault", ["half", "other"])
def test_a_cache_that_is_broken_is_made_anew(tmp_path: Path, fault: str) -> None:
    assert run(HOME=str(tmp_path)).returncode == 0
    for path in tmp_path.rglob("*.nb[ic]"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if fault == "half" else b"not a cache")
    done = run(HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
