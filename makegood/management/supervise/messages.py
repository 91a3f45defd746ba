"""Message catalogues: the .po files are the source, the .mo files are made from them and never committed."""

from __future__ import annotations

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from makegood.management.supervise.places import ROOT

LOCALE = ROOT / "makegood" / "locale"


def compile_messages(folder: Path = LOCALE) -> list[Path]:
    """Make each catalogue that is missing or older than its source; returns the files that were written.

    Fuzzy entries are left out, as gettext does. A half-written catalogue is never seen: each is renamed into place.
    """
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        with source.open("rb") as read, draft.open("wb") as write:
            write_mo(write, read_po(read))
        draft.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_messages()
