"""Fixtures that every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import cast as stages
from tests.mailserver.servers import _servers, mail_servers  # noqa: F401

# How long an example takes says something about the machine that day, and nothing about the house.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
def cast(db: None) -> stages.Cast:
    """The standing cast, in the database."""
    return stages.assemble()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions begin by emptying every table, which the history refuses to everybody else."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("ALTER TABLE makegood_caseevent DISABLE TRIGGER events_stand_all")
    yield
