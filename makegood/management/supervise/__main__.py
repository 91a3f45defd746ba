"""``python -m makegood.management.supervise``: what bin/up runs once its virtual environment is complete."""

from __future__ import annotations

import argparse
import sys

from makegood.management.supervise.places import ROOT
from makegood.management.supervise.supervisor import Wishes, run
from makegood.management.supervise.trouble import Trouble, from_os


def wishes(arguments: list[str]) -> Wishes:
    """Parse the command line; exits 2 with the usage on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="bin/up", description="Start Makegood: database, web server and worker."
    )
    parser.add_argument("--port", type=_port, default=8000, help="listen on this port (8000)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="listen on this address (127.0.0.1: this machine alone)"
    )
    parser.add_argument("--demo", action="store_true", help="fill a shop to play with and print its sign-ins")
    found = parser.parse_args(arguments)
    return Wishes(port=found.port, host=found.host, demo=found.demo)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a whole number from 1 to 65535, not '{text}'")
    return int(text)


def main() -> int:
    """Exit code: 0 after Ctrl-C, 3 for a database of a newer version, 1 for other trouble, 2 for wrong arguments."""
    try:
        run(wishes(sys.argv[1:]))
    except Trouble as trouble:
        print(trouble, file=sys.stderr, flush=True)
        return trouble.code
    except OSError as error:
        print(from_os(error, str(ROOT / "var")), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
