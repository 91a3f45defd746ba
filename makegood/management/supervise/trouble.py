"""The one way in which starting fails: a sentence for the person at the terminal, and an exit code."""

from __future__ import annotations

import errno

FULL_DISK = (
    "The disk that holds {where} is full; make room (200 MB at least) and start again. Nothing was lost."
)
NEWER_DATABASE = 3


class Trouble(Exception):
    """``str(trouble)`` is one sentence that says what is wrong and what to do; ``code`` is the exit code (never 0)."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def from_os(error: OSError, where: str) -> Trouble:
    """The sentence for an error of the operating system met at start-up; ``where`` names the folder it concerns."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Trouble(FULL_DISK.format(where=where))
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Trouble(
            f"Makegood may not write to {error.filename or where}; give this user the right to, and start again."
        )
    return Trouble(f"The operating system refused a step of the start: {error}.")
