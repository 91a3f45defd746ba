"""The optional libraries, asked for only when they are used."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

#: What the extra installs (pyproject.toml), as modules.
MODULES = ("pyspark", "pandas", "pyarrow", "duckdb")


class Missing(RuntimeError):
    """What is to be installed; the message is a sentence for whoever runs the command."""


def need(*modules: str, java: bool = False) -> None:
    """Raise Missing unless these modules (and Java 17 or newer) are there."""
    gone = [name for name in modules if find_spec(name) is None]
    if gone:
        raise Missing(
            f"{', '.join(gone)} is not installed here; install Makegood with its extra: pip install 'makegood[spark]'."
        )
    if java and shutil.which("java") is None:
        raise Missing(
            "Spark needs Java 17 or newer and found none; install it (Debian: openjdk-17-jre-headless)."
        )
