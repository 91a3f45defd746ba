"""bin/manage: Django's management commands, with the embedded server running for as long as the command does."""

from __future__ import annotations

import os
import sys

from makegood.management.supervise.database import Embedded
from makegood.management.supervise.lending import using
from makegood.management.supervise.messages import compile_messages
from makegood.management.supervise.places import make_secret, var
from makegood.management.supervise.trouble import Trouble, from_os

WITHOUT_DATABASE = {"help", "--help", "-h", "version", "--version"}


def command(arguments: list[str]) -> None:
    """Run one management command; Django's own errors and exit codes pass through."""
    from django.core.management import execute_from_command_line  # not above: see the package's docstring

    execute_from_command_line(["bin/manage", *arguments])


def main() -> int:
    """Exit code of the command; 1 and a sentence when the database cannot be started."""
    arguments = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")
    try:
        make_secret(var())
        compile_messages()
        if os.environ.get("DATABASE_URL") or not arguments or arguments[0] in WITHOUT_DATABASE:
            command(arguments)
            return 0
        with using(Embedded()) as url:
            os.environ["DATABASE_URL"] = url
            command(arguments)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return trouble.code
    except OSError as error:
        print(from_os(error, "var/"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
