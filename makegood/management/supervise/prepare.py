"""The steps between a database that answers and a web server: run as a process of its own, so Django leaves memory again.

What it writes to standard output (the administrator's one-time link, the demo's sign-ins) the supervisor prints last,
below the address; sentences of trouble go to standard error and the exit code says so.
"""

from __future__ import annotations

import os
import sys

from makegood.management.supervise.messages import compile_messages
from makegood.management.supervise.trouble import Trouble, from_os

MIGRATING = (
    7_226_634  # the advisory lock under which one process migrates when several machines start at once
)


def prepare(demo: bool) -> None:
    """Catalogues, migrations, static files, the first administrator, the demo; each may run again without harm."""
    compile_messages()
    import django  # not above: see the package's docstring

    django.setup()
    from django.core.management import call_command, get_commands
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        call_command("migrate", interactive=False, verbosity=0)
        known = get_commands()
        if "first_admin" in known:
            call_command("first_admin")
        if demo:
            if "demo" not in known:
                raise Trouble("This Makegood has no demo.")
            print("Filling the demo shop …", file=sys.stderr, flush=True)
            call_command("demo")
        cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
    call_command("collectstatic", interactive=False, verbosity=0)


def main() -> int:
    """Exit code 0, or a Trouble's; an unexpected error shows its traceback, for that is a fault of ours."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")
    try:
        prepare("--demo" in sys.argv)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return trouble.code
    except OSError as error:
        print(from_os(error, "var/"), file=sys.stderr)
        return 1
    except Exception as error:
        if "No space left on device" in str(error):
            print(from_os(OSError(28, "full"), "the database"), file=sys.stderr)
            return 1
        from django.core.exceptions import ImproperlyConfigured

        if isinstance(error, ImproperlyConfigured):
            print(f"A setting is wrong: {error}", file=sys.stderr)
            return 1
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
