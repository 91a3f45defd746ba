"""Raw letters read: bytes in, a :class:`Letter` out. What is recognised and how well: docs/mechanisms/letters-in.md."""

from makegood.text.letters.reading import read
from makegood.text.letters.shapes import Address, Bounce, Letter, Part, Unreadable

__all__ = ["Address", "Bounce", "Letter", "Part", "Unreadable", "read"]
