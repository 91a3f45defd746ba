"""load-complaints: every good row becomes a case once, bad rows are set aside with the reason, a stopped load goes on."""

from __future__ import annotations

import csv
from collections import Counter
from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from makegood.cases.models import Case
from makegood.jobs import loading
from makegood.jobs.models import LoadedRow
from makegood.people.models import Shop

pytestmark = pytest.mark.django_db(transaction=False)
GOOD = [
    {"said": "환불이 아직 안 들어왔습니다. 주문번호 HN-20261101", "stars": 1, "mail": "a@customer.example"},
    {"said": "快递三天没动了，订单号MT-20261102", "stars": 2, "mail": ""},
    {"said": "The charger caught fire, my order AX-20261103", "stars": 1, "mail": "b@customer.example"},
    {"said": "Great shop, thanks", "stars": 5, "mail": ""},
]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(file: Path, **options: object) -> str:
    out = StringIO()
    given = {"shop": "haneul", "create_shop": "Haneul", "text": "said"} | options
    call_command("load-complaints", file, stdout=out, **given)
    return out.getvalue()


def test_every_row_of_a_csv_becomes_a_case(tmp_path):
    said = run(write(tmp_path / "a.csv", GOOD), email="mail", where=["stars <= 2"])
    assert "3 opened" in said and "3 rows" in said
    assert list(Case.objects.order_by("id").values_list("language", flat=True)) == ["ko", "zh-hans", "en"]
    assert Case.objects.get(language="en").urgency == 5
    assert Case.objects.get(language="ko").order_number == "HN-20261101"
    assert Case.objects.get(language="ko").customer.email == "a@customer.example"
    first = Case.objects.order_by("id")[0].events.get()
    assert (first.actor_role, first.door) == ("system", "command")
    assert Shop.objects.get(code="haneul").name == "Haneul"
    assert not (tmp_path / "a.csv.rejected.csv").exists()


def test_parquet_is_read_alike(tmp_path):
    pq.write_table(pa.Table.from_pylist(GOOD), tmp_path / "a.parquet")
    run(tmp_path / "a.parquet", where=["stars != 5"], limit=2)
    assert Case.objects.count() == 2


def test_a_second_run_opens_nothing(tmp_path):
    file = write(tmp_path / "a.csv", GOOD)
    run(file)
    again = run(file)
    assert "0 opened, 4 there before" in again
    assert Case.objects.count() == LoadedRow.objects.count() == 4


def test_bad_rows_are_set_aside_with_the_reason(tmp_path):
    rows = [
        *GOOD[:1],
        {"said": "  ", "stars": 1, "mail": ""},
        {"said": "x" * 100_001, "stars": 1, "mail": ""},
        {"said": "good words", "stars": 1, "mail": "not an address"},
        *GOOD[1:2],
    ]
    file = write(tmp_path / "a.csv", rows)
    with file.open("ab") as raw:
        raw.write(b"\xff\xfe broken,1,\r\nthree,1,,four\r\n")
    said = run(file, email="mail")
    assert "2 opened" in said and "5 rows were set aside" in said
    found = list(csv.DictReader((tmp_path / "a.csv.rejected.csv").open(encoding="utf-8")))
    assert [r["row"] for r in found] == ["2", "3", "4", "6", "7"]
    assert "empty" in found[0]["reason"] and "too long" in found[1]["reason"]
    assert "email" in found[2]["reason"] and "UTF-8" in found[3]["reason"] and "fields" in found[4]["reason"]


def test_an_unknown_language_or_moment_is_set_aside(tmp_path):
    rows = [
        {"said": "one word about it", "lang": "fr", "when": ""},
        {"said": "two words about it", "lang": "en", "when": "yesterday"},
        {"said": "three words about it", "lang": "EN-us", "when": "2026-01-02"},
        {"said": "four words about it", "lang": "", "when": "2999-01-01"},
    ]
    said = run(write(tmp_path / "a.csv", rows), language="lang", at="when", rejects=tmp_path / "bad.csv")
    assert "1 opened" in said
    event = Case.objects.get().events.get()
    assert event.true_at.isoformat() == "2026-01-02T00:00:00+00:00"
    assert [r["row"] for r in csv.DictReader((tmp_path / "bad.csv").open())] == ["1", "2", "4"]


def test_a_load_that_is_killed_between_goes_on_without_double_or_loss(tmp_path, monkeypatch):
    file = write(tmp_path / "a.csv", [{"said": f"Parcel number {n} never came"} for n in range(70)])
    real, calls = loading.open_case, Counter[str]()

    def dies(*args: object, **more: object) -> object:
        calls["n"] += 1
        event = real(*args, **more)
        if calls["n"] == 33:
            raise KeyboardInterrupt  # after the case, before its row is marked: the worst moment
        return event

    monkeypatch.setattr(loading, "open_case", dies)
    with pytest.raises(SystemExit) as stopped:
        run(file)
    assert stopped.value.code == 130
    assert Case.objects.count() == LoadedRow.objects.count() == loading.TOGETHER
    monkeypatch.setattr(loading, "open_case", real)
    assert "45 opened, 25 there before" in run(file)
    assert sorted(LoadedRow.objects.values_list("row", flat=True)) == list(range(1, 71))
    assert len(set(Case.objects.values_list("subject", flat=True))) == 70


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"text": "words"}, "has no column 'words'; it has: said, stars, mail"),
        ({"where": ["rating <= 2"]}, "has no column 'rating'"),
        ({"where": ["stars"]}, "is no condition"),
        ({"language_is": "fr"}, "none of ko, zh-hans and en"),
        ({"shop": "nobody", "create_shop": None}, "no shop 'nobody'"),
        ({"limit": -1}, "at least 1"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_sentence(tmp_path, options, words):
    with pytest.raises(CommandError, match=words) as refused:
        run(write(tmp_path / "a.csv", GOOD), **options)
    assert refused.value.returncode == 2
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.csv", None),
        ("a.parquet", b"no parquet"),
        ("b.parquet", b"PAR1 cut off"),
        ("c.csv", b"\0\1\2"),
        ("d.csv", b""),
    ],
)
def test_a_file_that_is_none_is_one_clear_sentence(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=name) as refused:
        run(tmp_path / name)
    assert refused.value.returncode == 2
