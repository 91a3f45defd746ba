"""A site's edited copy replaces the shipped file of the same name, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from makegood.packs import check_all, names, playbook, policy, taxonomy

if TYPE_CHECKING:
    from tests.packs.conftest import Spoil


def test_an_edited_policy_counts_and_the_other_files_stay_shipped(edited: Spoil) -> None:
    before = taxonomy()
    edited("policy.toml", "over_days = 7", "over_days = 6")
    assert policy().confirmation.over.days == 6
    assert taxonomy() == before
    check_all()


def test_without_the_folder_the_shipped_file_counts_again(
    edited: Spoil, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited("policy.toml", "over_days = 7", "over_days = 6")
    assert policy().confirmation.over.days == 6
    monkeypatch.delenv("MAKEGOOD_PACKS")
    assert policy().confirmation.over.days == 7


def test_an_edited_text_of_a_playbook_counts(edited: Spoil) -> None:
    edited("playbooks/product.toml", "What would you like to know about the item?", "What is unclear?")
    assert playbook("product.info").item("what_to_know").text.en == "What is unclear?"
    assert playbook("refund.delay").questions


def test_a_site_may_add_a_word_to_a_vocabulary(edited: Spoil) -> None:
    more = '{ code = "gift", ko = "선물", zh = "赠品", en = "A gift" },\n  { code = "apology"'
    edited("taxonomy.toml", '{ code = "apology"', more)
    assert names("remedy")["gift"].zh == "赠品"
    check_all()


def test_a_site_may_add_a_family_with_its_own_playbooks(edited: Spoil) -> None:
    own = '{ code = "account", ko'
    edited("taxonomy.toml", own, '{ code = "rental", ko = "대여", zh = "租赁", en = "Rental" },\n  ' + own)
    target = edited(
        "taxonomy.toml", own, '{ code = "rental", ko = "대여", zh = "租赁", en = "Rental" },\n  ' + own
    )
    text = target.read_text("utf-8")
    start = text.index('[[type]]\ncode = "service.noreply"')
    type_ = text[start:].replace("service.noreply", "rental.late").replace('"attitude"', '"rental"')
    target.write_text(text + "\n" + type_, "utf-8")
    book = edited("playbooks/attitude.toml", "service.attitude", "service.attitude")
    rows = book.read_text("utf-8")
    rows = rows[rows.index('[[playbook]]\ntype = "service.noreply"') :].replace(
        "service.noreply", "rental.late"
    )
    (book.parent / "rental.toml").write_text(rows, "utf-8")
    check_all()
    assert playbook("rental.late").at_report
