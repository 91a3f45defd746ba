"""Makegood itself, from an empty folder to an answer."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.supervise.up import Up, until

pytestmark = pytest.mark.slow


def test_from_nothing_to_an_answer_and_back_to_nothing(up: Callable[..., Up]) -> None:
    site = up(settings="makegood.settings").type().ready()
    assert site.healthy()
    assert f"Makegood is at http://127.0.0.1:{site.port}" in site.output()
    assert "Traceback" not in site.output()
    assert (site.var / "secret").stat().st_mode & 0o777 == 0o600
    with psycopg.connect(site.embedded.url()) as connection:
        row = connection.execute("SELECT count(*) FROM django_migrations WHERE app = 'makegood'").fetchone()
    assert row is not None and row[0] >= 2
    assert site.interrupt() == 0
    until(lambda: not site.family(), "processes left behind")


def test_another_address_of_this_machine_answers_too(up: Callable[..., Up]) -> None:
    site = up(settings="makegood.settings").type("--host", "0.0.0.0").ready()
    assert site.healthy()
    assert f"Makegood is at http://127.0.0.1:{site.port}" in site.output()
    assert "set ALLOWED_HOSTS and BASE_URL" in site.output()
