"""Pack files copied into a folder of their own, where a test may spoil them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from makegood.packs.reading import SHIPPED

Spoil = Callable[[str, str, str], Path]


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped packs, whatever the machine that runs the tests has set."""
    monkeypatch.delenv("MAKEGOOD_PACKS", raising=False)


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Put a copy of a shipped file into the site's folder, with the first ``old`` in it replaced by ``new``."""

    def put(name: str, old: str, new: str) -> Path:
        text = (SHIPPED / name).read_text("utf-8")
        assert old in text, f"{name} no longer holds {old!r}: the test would prove nothing"
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace(old, new, 1), "utf-8")
        monkeypatch.setenv("MAKEGOOD_PACKS", str(tmp_path))
        return target

    return put
