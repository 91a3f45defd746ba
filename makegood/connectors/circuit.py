"""A service that fails three times in a row is left alone for five minutes: waiting for it would hold workers and people."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F

from makegood.base import clock
from makegood.connectors.models import Circuit

FAILURES, REST = 3, timedelta(minutes=5)


def resting(name: str) -> bool:
    """Whether the service ``name`` is to be left alone now."""
    return Circuit.objects.filter(name=name, open_until__gt=clock.now()).exists()


def succeeded(name: str) -> None:
    """It answered: what failed before is forgotten."""
    Circuit.objects.filter(name=name).update(failures=0, open_until=None)


def failed(name: str) -> None:
    """It failed once more. After a rest, the first failure opens the circuit again."""
    Circuit.objects.get_or_create(name=name)
    # Counted by the database: two workers that fail at once are two failures.
    Circuit.objects.filter(name=name).update(failures=F("failures") + 1)
    Circuit.objects.filter(name=name, failures__gte=FAILURES).update(open_until=clock.now() + REST)
