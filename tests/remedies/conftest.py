"""The shop in memory stands where the connectors stand."""

from __future__ import annotations

import pytest

from makegood.desk import remedy_stores
from tests.remedies.shop import Shop


@pytest.fixture
def shop(monkeypatch) -> Shop:
    found = Shop()
    monkeypatch.setattr(remedy_stores, "opened", lambda step: found)
    return found
