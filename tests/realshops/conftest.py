"""One real Vendure for all tests of a run: it starts in some twenty seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.realshops.vendure.running import Shop, vendure


@pytest.fixture(scope="session")
def running() -> Iterator[Shop]:
    with vendure() as shop:
        yield shop


@pytest.fixture
def shop(running: Shop, settings: object) -> Shop:
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]
    running.mode("settled")
    return running
