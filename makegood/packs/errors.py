"""What is raised when a pack is wrong, and when a code is asked for that no pack knows."""

from __future__ import annotations


class PackError(ValueError):
    """A pack file is wrong: ``file``, the ``place`` in it, and a plain ``reason`` that its editor can act on."""

    def __init__(self, file: object, place: str, reason: str) -> None:
        self.file, self.place, self.reason = str(file), place, reason
        super().__init__(": ".join(part for part in (self.file, place, reason) if part))


class UnknownCode(LookupError):
    """A code that no pack knows. Law 3: unknown input fails loudly, it never takes a default."""

    def __init__(self, what: str, code: object) -> None:
        self.what, self.code = what, code
        super().__init__(f"no {what} has the code {code!r}")
