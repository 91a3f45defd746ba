"""The way to the compiled loops (``compiled.py``, ``compiled_table.py``): numba is imported at their first use, not when the watch is.

    from makegood.watch import loops
    loops.find(...)            # imports numba (half a second), then compiles this one loop or reads it from the cache

What is compiled is kept in the user's cache directory (``NUMBA_CACHE_DIR`` where that is set), never beside the source: an
installed package may be read-only, and a work tree is no place for it. Numba writes each file whole and renames it, so several
processes may begin at once. Where nothing can be written every process compiles for itself, some ten seconds of it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    from makegood.watch import compiled, compiled_table

    found = globals()[name] = _mended(getattr(compiled_table, name, None) or getattr(compiled, name))
    return found


def _mended(loop: Any) -> Any:
    """The loop, compiled anew where its cache cannot be read: numba renames what it wrote but does not sync it, so that a power
    cut may leave an empty file, and every later start of the worker would end with it."""

    def call(*arguments: Any) -> Any:
        try:
            return loop(*arguments)
        except (EOFError, UnpicklingError):  # raised while the loop is fetched, before it has done anything
            if _kept is None:
                raise
            for path in _kept.rglob("*.nb[ic]"):
                path.unlink(missing_ok=True)
            return loop(*arguments)

    return call


#: Where compiled loops are kept.
_kept: Path | None = None


def decorator() -> Any:
    """numba's ``njit`` with a cache where there is room for one: what those files mark their loops with."""
    global _kept
    import numba

    folder = _kept = _usable(_candidates())
    if folder is not None:
        numba.config.CACHE_DIR = str(folder)
    return numba.njit(cache=folder is not None, nogil=True)


def _candidates() -> list[Path]:
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(named)]
    at_home = os.environ.get("HOME") and os.path.join(os.environ["HOME"], ".cache")
    home = os.environ.get("XDG_CACHE_HOME") or at_home
    own = [Path(home) / "makegood" / "numba"] if home else []
    # One folder, at once below the temporary one: whoever owned a folder between could put another in its place.
    return [*own, Path(tempfile.gettempdir()) / f"makegood-numba-{os.getuid()}"]


def _usable(folders: list[Path]) -> Path | None:
    """The first that we may write and that is ours: numba runs what it reads there, so nobody else may have made it."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            held = folder.stat()
            if held.st_uid != os.getuid() or held.st_mode & 0o022 or not os.access(folder, os.W_OK | os.X_OK):
                continue
        except OSError:
            continue
        return folder
    return None
