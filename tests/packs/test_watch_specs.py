"""The processes that ship, and how a wrong one is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from makegood.packs.errors import PackError
from makegood.packs.watching import SHIPPED_PROCESSES, names_of, processes, read_process
from makegood.watch.plan import compile_plan

if TYPE_CHECKING:
    from tests.packs.conftest import Spoil

STEP = 'code = "invoice.issue"\n'
WRONG = [
    # file, what is replaced, by what, a part of the place, a part of the reason
    ("invoice", 'open = ["invoice.requested"]', 'open = ["invoice.asked"]', "step[invoice.issue]", "no event has the code"),
    ("invoice", 'open = ["invoice.requested"]', 'open = ["invoice.issued"]', "step[invoice.issue]", "may only open, close or cancel"),
    ("invoice", 'lane = ["provider"]', 'lane = ["queue"]', "step[invoice.issue]", "no attribute has the code 'queue'"),
    ("invoice", 'cohort = [["provider"]]', 'cohort = [["provider"], ["shop"]]', "step[invoice.issue]", "must hold"),
    ("invoice", "alpha = 0.005\nlate", "alpha = 0.9\nlate", "", "at most 0.5"),
    ("invoice", "budget = 1.0", "budget = 1.5", "step[invoice.issue]", "at most 1.0"),
    ("invoice", 'law = ["kr.tax_invoice", "cn.invoice"]', 'law = ["kr.nothing"]', "promise", "no legal clock"),
    ("invoice", 'key = ["tx"]', 'key = ["customer"]', "duplicate[invoice.twice]", "window_hours"),
    ("payment", "least_hours = 0.05", "least_hours = 0.5", "duplicate[payment.alike]", "least_hours"),
    ("payment", "most_hours = 24", "most_hours = 0.1", "duplicate[payment.alike]", "most_hours"),
    ("invoice", 'needs = ["invoice.requested"]', 'needs = ["invoice.issued"]', "need[invoice.unasked]", "need itself"),
    ("invoice", 'ko = "발급 요청"', 'ko = ""', "event[invoice.requested]", "'ko' is missing or empty"),
    ("invoice", STEP, 'code = "invoice.issue"\nfast = true\n', "step[invoice.issue]", "unknown key 'fast'"),
    ("refund", 'of = "refund.whole"', 'of = "refund.decision"', "step[refund.on_the_way]", "with a promise of its own"),
    ("refund", "budget = 0.4", "budget = 0.9", "", "add up to more than 1"),
    ("order", "foresee = true", 'foresee = "yes"', "step[order.transport]", "true or false"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "place", "reason"), WRONG)
def test_what_is_wrong_in_a_process_is_named_with_its_place(
    edited: Spoil, name: str, old: str, new: str, place: str, reason: str
) -> None:
    edited(f"watch/{name}.toml", old, new)
    with pytest.raises(PackError) as wrong:
        processes()
    assert place in wrong.value.place
    assert reason in wrong.value.reason


def test_the_seven_processes_ship_and_speak_three_languages() -> None:
    found = processes()
    assert tuple(found) == SHIPPED_PROCESSES
    for process in found.values():
        for name in names_of(process).values():
            assert len({name.ko, name.zh, name.en}) == 3


def test_all_of_them_make_one_plan() -> None:
    plan = compile_plan(processes().values())
    assert len(set(plan.codes)) == len(plan.codes)
    assert len(set(plan.keys.tolist())) == len(plan.codes)


def test_a_site_adds_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "makegood/packs/watch/invoice.toml").read_text("utf-8")
    (tmp_path / "watch").mkdir()
    own = text.replace('"invoice', '"warranty').replace(
        'type = "warranty.request"', 'type = "quality.repair"'
    )
    (tmp_path / "watch/warranty.toml").write_text(own, "utf-8")
    monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path))
    assert "warranty" in processes()
    assert read_process(tmp_path / "watch/warranty.toml").steps["warranty.issue"].overtaken


def test_two_processes_may_not_share_the_code_of_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(__file__).parents[2] / "makegood/packs/watch/invoice.toml").read_text("utf-8")
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch/tax.toml").write_text(text.replace('code = "invoice"', 'code = "tax"'), "utf-8")
    monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path))
    with pytest.raises(PackError, match="has this code too"):
        processes()
