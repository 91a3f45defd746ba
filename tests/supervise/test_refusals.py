"""What keeps bin/up from starting: one clear sentence, an exit code that is not 0, and nothing left running."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from makegood.management.supervise import outside
from makegood.management.supervise.__main__ import main, wishes
from makegood.management.supervise.places import check_room
from makegood.management.supervise.trouble import Trouble
from tests.supervise.up import Up, free_port, until

SERVER = os.environ.get("DATABASE_URL", "")


def elsewhere(name: str, user: str = "") -> str:
    """The tests' server, another database, perhaps another user."""
    parts = urlsplit(SERVER)
    place = f"{user}:guest@{parts.netloc.rpartition('@')[2]}" if user else parts.netloc
    return urlunsplit(parts._replace(netloc=place, path=f"/{name}"))


@pytest.fixture
def other_database() -> Iterator[str]:
    """The URL of an empty database on the tests' server."""
    name = f"test_other_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        yield elsewhere(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.slow
def test_a_second_up_says_that_one_is_running_and_where(up: Callable[..., Up]) -> None:
    first = up().type().ready()
    second = up().type()
    assert second.ended() == 1
    assert second.output() == (
        f"Makegood is already running at http://127.0.0.1:{first.port} (pid {first.process.pid}).\n"
    )
    assert first.healthy()


def test_a_taken_port_is_said_before_anything_is_started(up: Callable[..., Up]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        site = up(port).type()
        assert site.ended() == 1
    assert site.output() == (
        f"Port {port} is taken by another program: stop it, or choose another with bin/up --port N.\n"
    )
    assert not site.embedded.data.exists()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "mysql://root@localhost/shop",
            "DATABASE_URL must look like postgresql://user:password@host:5432/name.",
        ),
        ("postgresql://localhost", "DATABASE_URL must look like"),
        ("postgresql://u@localhost:port/name", "its port or host is not one"),
        ("postgresql://u:secret@127.0.0.1:{closed}/name", "No PostgreSQL server answers at 127.0.0.1:"),
        (
            "postgresql://u:secret@no-such-host.invalid/name",
            "There is no host of that name (no-such-host.invalid:5432/name)",
        ),
        ("postgresql://u:secret@127.0.0.1/name?no_such=1", "DATABASE_URL must look like"),
    ],
)
def test_a_wrong_database_url_is_one_sentence_without_the_password(url: str, sentence: str) -> None:
    with pytest.raises(Trouble) as refused:
        outside.check_database(url.format(closed=free_port()))
    assert sentence in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_database_that_does_not_exist_is_named() -> None:
    with pytest.raises(Trouble, match="There is no database 'no_such_name' on that server"):
        outside.check_database(elsewhere("no_such_name"))


def test_a_user_that_may_not_create_tables_is_told_so(other_database: str) -> None:
    role = f"test_guest_{os.getpid()}"
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'guest'")
        try:
            with pytest.raises(Trouble, match="may not create tables"):
                outside.check_database(elsewhere(urlsplit(other_database).path[1:], role))
        finally:
            connection.execute(f"DROP ROLE {role}")


class Info(NamedTuple):
    server_version: int


def test_an_older_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.Connection, "info", Info(150004))
    with pytest.raises(Trouble, match="is PostgreSQL 15; Makegood needs 16 or newer"):
        outside.check_database(SERVER)


@pytest.mark.slow
def test_a_wrong_database_url_ends_bin_up(up: Callable[..., Up]) -> None:
    site = up().type(DATABASE_URL=f"postgresql://u:secret@127.0.0.1:{free_port()}/name")
    assert site.ended() == 1
    assert site.output().startswith("No PostgreSQL server answers at 127.0.0.1:")
    assert len(site.output().splitlines()) == 1


@pytest.mark.slow
def test_a_database_of_a_newer_version_is_left_as_it_is(up: Callable[..., Up], other_database: str) -> None:
    with psycopg.connect(other_database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz)"
        )
        connection.execute(
            "INSERT INTO django_migrations (app, name) VALUES ('makegood', '9999_from_the_future')"
        )
        site = up().type(DATABASE_URL=other_database)
        assert site.ended() == 3
        assert (
            "was last used by a newer Makegood (it has 9999_from_the_future, unknown here)" in site.output()
        )
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert tables == (1,)


def test_a_full_disk_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=199 * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(Trouble, match=r"^The disk that holds .* is full; make room \(200 MB at least\)"):
        check_room(tmp_path)


def test_a_disk_that_fills_up_during_the_start_is_the_same_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(wishes: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("makegood.management.supervise.__main__.run", full)
    monkeypatch.setattr("sys.argv", ["up"])
    assert main() == 1
    assert "is full; make room" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1", "８０"])
def test_a_wrong_port_is_a_wrong_command_line(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        wishes(["--port", port])
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.slow
def test_a_host_that_is_not_ours_is_refused(up: Callable[..., Up]) -> None:
    site = up().type("--host", "192.0.2.1")
    assert site.ended() == 1
    assert "'192.0.2.1' is no address of this machine" in site.output()
    until(lambda: not site.family(), "processes left behind")
