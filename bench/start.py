"""Django and a database for the benchmarks: DATABASE_URL, else the embedded server in var/."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")


@contextmanager
def ready() -> Iterator[str]:
    """The address of the database, with Django set up, while the block runs."""
    import django
    from django.core.management import call_command

    if url := os.environ.get("DATABASE_URL"):
        django.setup()
        call_command("migrate", verbosity=0)
        yield url
        return
    from makegood.management.supervise.database import Embedded
    from makegood.management.supervise.lending import using

    with using(Embedded()) as url:
        os.environ["DATABASE_URL"] = url
        django.setup()
        call_command("migrate", verbosity=0)
        yield url
