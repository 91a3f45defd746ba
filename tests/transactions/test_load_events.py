"""A shop that cannot push sends a file: each row is read, each wrong one is given back with its reason, and twice is once."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from makegood.transactions.models import Order, Shipment, StoreFact
from tests.transactions.sending import settle, store_of

pytestmark = pytest.mark.django_db

MAPPING = """
zone = "Asia/Seoul"
[columns]
subject = "주문"
"money.amount" = "금액"
carrier = "택배사"
tracking = "송장"
[fixed]
"money.currency" = "KRW"
[[event]]
columns = { time = "주문일" }
fixed = { type = "order.placed" }
[[event]]
columns = { time = "배송완료", ref = "송장" }
fixed = { type = "shipment.delivered" }
"""
ROWS = """주문,금액,주문일,배송완료,택배사,송장
HN-1,39000,2026-11-01 10:00,2026-11-03 12:00,CJ,111
HN-2,12000,2026-11-02 10:00,,CJ,
HN-3,12000.50,2026-11-02 10:00,,CJ,
HN-4,9000,어제,,CJ,
"""


@pytest.fixture
def store(cast):
    settle.last = 0
    return store_of(cast.haneul)


def run(file, *more):
    out = io.StringIO()
    call_command("load-events", str(file), "--store", "haneul-shop", "--no-apply", *more, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path):
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    file = tmp_path / "orders.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def test_a_row_makes_an_event_for_every_time_that_it_holds(store, file):
    said = run(file, "--mapping", str(file.parent / "map.toml"))
    assert "4 rows" in said and "3 new events, 0 there before" in said and "2 rows were set aside" in said
    with (file.parent / "orders.csv.rejected.csv").open(encoding="utf-8") as rejected:
        why = {row["row"]: row["reason"] for row in csv.DictReader(rejected)}
    assert set(why) == {"3", "4"} and why["3"].startswith("decimals") and why["4"].startswith("bad_time")
    settle()
    assert set(Order.objects.filter(number__startswith="HN-").values_list("number", flat=True)) >= {
        "HN-1",
        "HN-2",
    }
    parcel = Shipment.objects.get()
    assert (parcel.state, parcel.tracking, parcel.order.number) == ("delivered", "111", "HN-1")
    assert parcel.told_at.isoformat() == "2026-11-03T03:00:00+00:00", "Seoul's noon"


def test_the_second_load_changes_nothing(store, file):
    run(file, "--mapping", str(file.parent / "map.toml"))
    again = run(file, "--mapping", str(file.parent / "map.toml"))
    assert "0 new events, 3 there before" in again and StoreFact.objects.count() == 3


def test_a_parquet_file_with_the_shops_own_words(store, tmp_path):
    from datetime import UTC, datetime

    at = [datetime(2026, 11, 3, 9, 0, tzinfo=UTC), datetime(2026, 11, 4, 9, 0, tzinfo=UTC)]
    table = pa.table(
        {"no": ["HN-1", "HN-1"], "what": ["출고", "배송완료"], "at": at, "inv": ["p1", "p1"], "n": [1, 2]}
    )
    pq.write_table(table, tmp_path / "e.parquet")
    words = ["--column", "subject=no", "--column", "type=what", "--column", "time=at", "--column", "ref=inv"]
    words += [
        "--column",
        "sequence=n",
        "--type",
        "출고=shipment.handed_over",
        "--type",
        "배송완료=shipment.delivered",
    ]
    assert "2 new events" in run(tmp_path / "e.parquet", *words)
    settle()
    parcel = Shipment.objects.get()
    assert parcel.state == "delivered" and parcel.sequence == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say which column holds 'type'"),
        (
            ["--fixed", "type=order.flown", "--fixed", "subject=a", "--fixed", "time=b"],
            "'order.flown' is no type of event.",
        ),
        (["--column", "colour=x"], "An event has no field 'colour'."),
        (["--column", "subject"], "must be NAME=VALUE"),
        (
            ["--fixed", "type=order.placed", "--column", "subject=no", "--column", "time=no"],
            "has no column 'no'",
        ),
        (
            ["--fixed", "type=order.placed", "--fixed", "subject=a", "--fixed", "time=b", "--zone", "Mars"],
            "no time zone",
        ),
    ],
)
def test_a_mapping_that_cannot_be_is_said_before_anything_is_read(store, file, words, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(file, *words)
    assert not StoreFact.objects.exists()


def test_a_store_that_is_not_there_is_said(cast, file):
    with pytest.raises(CommandError, match="There is no store"):
        run(file)
