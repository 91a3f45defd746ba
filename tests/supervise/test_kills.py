"""Whatever is killed, what was acknowledged is there again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psutil
import pytest

from tests.supervise.up import Up, a_row, until

pytestmark = pytest.mark.slow


def test_ctrl_c_stops_everything_with_exit_code_0_and_the_next_start_finds_the_data(
    up: Callable[..., Up],
) -> None:
    first = up().type().ready()
    assert first.healthy()
    with a_row(first) as rows:
        assert first.interrupt() == 0
        until(lambda: not first.family(), "processes left behind")
        assert not (first.embedded.data / "postmaster.pid").exists(), "the database was not shut down cleanly"
        up().type().ready()
        assert rows() == [(42,)]


def test_a_killed_web_server_comes_back(up: Callable[..., Up]) -> None:
    site = up().type().ready()
    main, *workers = site.web()
    assert len(workers) == 2
    main.kill()
    until(lambda: not any(w.is_running() for w in workers), "a worker outlived its main process")
    until(lambda: len(site.web()) == 3 and site.healthy(), site.output())
    assert "The web ended (killed by SIGKILL); starting it again" in site.output()


def test_a_killed_web_worker_comes_back(up: Callable[..., Up]) -> None:
    site = up().type().ready()
    dead = site.web()[1]
    dead.kill()
    until(lambda: dead not in site.web() and len(site.web()) == 3 and site.healthy(), site.output())


def test_a_killed_database_comes_back_with_what_it_acknowledged(up: Callable[..., Up]) -> None:
    site = up().type().ready()
    with a_row(site) as rows:
        before = site.embedded.pid()
        assert before is not None
        psutil.Process(before).kill()
        until(lambda: "The database ended; starting it again." in site.output(), site.output())

        def back() -> bool:
            with contextlib.suppress(Exception):
                return rows() == [(42,)]
            return False

        until(back, site.output())
        assert site.embedded.pid() != before


def test_after_a_kill_of_everything_the_next_start_loses_nothing(up: Callable[..., Up]) -> None:
    site = up().type().ready()
    with a_row(site) as rows:
        site.kill_all()
        again = up(site.port).type().ready()
        assert again.healthy()
        assert rows() == [(42,)]


def test_a_killed_supervisor_leaves_nobody_behind_that_holds_the_port(up: Callable[..., Up]) -> None:
    site = up().type().ready()
    with a_row(site) as rows:
        assert len(site.family()) > 4
        site.process.kill()
        site.process.wait()
        again = up(site.port).type().ready()
        until(lambda: not site.family(), "processes of the killed supervisor still run")
        assert again.healthy()
        assert rows() == [(42,)]


def test_a_web_server_that_cannot_start_is_given_up_with_one_sentence(up: Callable[..., Up]) -> None:
    site = up().type(GRANIAN_HTTP="nonsense")
    assert site.ended() == 1
    assert "The web ended 5 times within 30 seconds" in site.output()
    until(lambda: not site.family(), "processes left behind")
