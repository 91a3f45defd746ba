"""``python -m makegood.packs``: check every pack of this site; exit 1 with file, place and reason when one is wrong."""

from __future__ import annotations

import sys

from makegood.packs.check import check_all
from makegood.packs.errors import PackError


def main() -> int:
    try:
        counts = check_all()
    except PackError as error:
        print(f"wrong pack: {error}", file=sys.stderr)
        return 1
    for what, count in counts.items():
        print(f"{count:5d} {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
