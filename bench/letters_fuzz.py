"""Fuzzes the reader of letters with coverage: ``python bench/letters_fuzz.py [-max_total_time=60] [FOLDER OF LETTERS]``.

Needs ``pip install atheris`` (libFuzzer for Python), which is no dependency of the project: it has wheels for few platforms.
A letter that raises anything but Unreadable, is a 'defect', or holds what a database cannot store, stops it and is written
to the working folder. Findings become examples of tests/text/letters.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["makegood.text.letters", "email"]):
    from makegood.text.letters import Unreadable, read

HEAD = b"From: a@b.example\nSubject: x\n"


def one(raw: bytes) -> None:
    for letter in (raw, HEAD + raw):
        try:
            seen = read(letter)
        except Unreadable as told:
            assert told.code != "defect", repr(told.__cause__)
            continue
        for text in (
            seen.text,
            seen.said,
            seen.quoted,
            seen.html,
            seen.subject,
            seen.sender.name,
            seen.sender.email,
            *(part.name for part in seen.parts),
        ):
            text.encode()
            assert "\x00" not in text
        assert bool(seen.said) == bool(seen.text.strip())


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
