import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.supervise.up import Up


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder that other users may pass through, as PostgreSQL must when the tests run as root.

    Not tmp_path: each pytest that starts on this machine closes the folder above it (mode 700) to others again.
    """
    with tempfile.TemporaryDirectory(prefix="makegood-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture
def up(folder: Path) -> Iterator[Callable[..., Up]]:
    """Makes bin/ups in one var/ of the test's own; whatever still runs at the end is ended."""
    made: list[Up] = []

    def make(port: int | None = None, settings: str = "tests.supervise.tiny") -> Up:
        made.append(Up(folder / "var", port, settings))
        return made[-1]

    yield make
    for one in made:
        one.clean_up()
