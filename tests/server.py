"""A pytest plugin (``-p tests.server`` in pyproject.toml): the tests' own PostgreSQL, when DATABASE_URL names none.

A plugin and not tests/conftest.py, for pytest-django loads the settings before any conftest is read. Under xdist the
controller alone starts and stops the server; its workers inherit DATABASE_URL and have a database each.
"""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack

import psycopg
import pytest

from makegood.management.supervise.database import Embedded
from makegood.management.supervise.lending import using
from makegood.management.supervise.messages import compile_messages
from makegood.management.supervise.places import var
from makegood.management.supervise.trouble import Trouble

_stack = ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") or {"--help", "-h", "--version", "-V"} & set(args):
        return
    compile_messages()
    if os.environ.get("DATABASE_URL"):
        return
    embedded = Embedded(var() / "pg-test", durable=False)
    try:
        url = _enter(embedded)
    except Trouble as trouble:
        raise pytest.UsageError(str(trouble)) from None
    os.environ["DATABASE_URL"] = url
    _stack.callback(os.environ.pop, "DATABASE_URL", None)
    if (
        "MAKEGOOD_TEST_DB" not in os.environ
    ):  # two runs at once in one clone must not share (and drop) databases
        os.environ["MAKEGOOD_TEST_DB"] = f"test_makegood_{os.getpid()}"
        _stack.callback(os.environ.pop, "MAKEGOOD_TEST_DB", None)


def _enter(embedded: Embedded) -> str:
    """Start it; a folder that a power cut spoiled (it is not durable, for speed) is made anew."""
    idle = embedded.pid() is None
    try:
        url = _stack.enter_context(using(embedded))
    except Trouble:
        if embedded.pid() is not None or not embedded.data.exists():
            raise
        shutil.rmtree(embedded.data)
        url = _stack.enter_context(using(embedded))
    if idle:
        _drop_left_overs(embedded.url("postgres"))
    return url


def _drop_left_overs(url: str) -> None:
    """Databases of runs that were killed."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'").fetchall()
        for (name,) in found:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def pytest_unconfigure() -> None:
    _stack.close()
