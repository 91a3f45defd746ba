"""The fault run in small: sixty refunds, a provider that loses replies and repeats webhooks, workers that are killed (kill -9).

``python -m bench.remedies --remedies 10000`` is the same at length.
"""

from __future__ import annotations

import pytest
from django.db import connection

from bench import remedies as faults

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_sixty_refunds_are_given_once_each_whoever_dies(monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone()
    place = connection.get_connection_params()
    # The workers are processes of their own; they find this very database.
    monkeypatch.setenv(
        "DATABASE_URL",
        f"postgresql://{place.get('user', '')}@/{name}?host={place['host']}&port={place['port']}",
    )
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "makegood.settings")
    monkeypatch.setattr(faults, "LOST", 0.2)
    monkeypatch.setattr(faults, "REPEATED", 0.2)
    held, kills = faults.run(60, 20261122, 300.0, first=2.0, lives=(1.0, 4.0), most=3)
    assert held and kills == 3
