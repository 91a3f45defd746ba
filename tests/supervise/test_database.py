"""The embedded PostgreSQL's life: shared, in deep folders, after half-finished starts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from makegood.management.supervise.database import Embedded
from makegood.management.supervise.lending import ensure, using
from makegood.management.supervise.trouble import Trouble

pytestmark = pytest.mark.slow


@pytest.fixture
def embedded(folder: Path) -> Iterator[Embedded]:
    server = Embedded(folder / "pg", durable=False)
    yield server
    server.stop()


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def test_the_last_user_to_leave_stops_the_server_whoever_started_it(embedded: Embedded) -> None:
    first, second = using(embedded), using(Embedded(embedded.data, durable=False))
    url = first.__enter__()
    assert second.__enter__() == url
    first.__exit__(None, None, None)
    assert ask(url, "SELECT 1") == 1, "it was stopped under somebody who still uses it"
    second.__exit__(None, None, None)
    assert embedded.pid() is None


def test_ensure_twice_is_one_server_in_unicode_that_keeps_what_it_acknowledges(folder: Path) -> None:
    server = Embedded(folder / "pg")
    try:
        url = ensure(server)
        pid = server.pid()
        assert ensure(Embedded(server.data)) == url
        assert server.pid() == pid
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert [ask(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == [
            "on"
        ] * 3
        assert ask(url, "SELECT lower('ÄÖ') || upper('한국어 é')") == "äö한국어 É"
        assert ask(url, "SHOW listen_addresses") == ""
    finally:
        server.stop()


def test_a_deep_folder_does_not_matter(folder: Path) -> None:
    server = Embedded(folder.joinpath(*["가" * 30] * 3) / "pg", durable=False)
    with using(server) as url:
        assert ask(url, "SELECT 1") == 1
        assert (server.socket.stat().st_mode & 0o777) == 0o700


def test_a_creation_that_was_killed_half_way_is_done_again(embedded: Embedded) -> None:
    draft = embedded.data.with_name("pg.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with using(embedded) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_process_number_that_belongs_to_somebody_else_by_now_does_not_hinder(embedded: Embedded) -> None:
    with using(embedded):
        note = (embedded.data / "postmaster.pid").read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        (embedded.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *note[1:]]) + "\n")
        with using(embedded) as url:
            assert ask(url, "SELECT 1") == 1
        assert stranger.poll() is None, "the stranger was stopped"
    finally:
        stranger.kill()
        stranger.wait()


def test_a_folder_with_something_else_in_it_is_left_alone(embedded: Embedded) -> None:
    embedded.data.mkdir()
    (embedded.data / "diary").write_text("mine")
    with pytest.raises(Trouble, match="holds something that is not a PostgreSQL data folder"):
        ensure(embedded)
    assert (embedded.data / "diary").read_text() == "mine"


def test_data_of_another_postgresql_is_refused_with_what_to_do(embedded: Embedded) -> None:
    embedded.data.mkdir()
    (embedded.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(Trouble, match=r"was made by PostgreSQL 16 .* pg_dump"):
        ensure(embedded)
