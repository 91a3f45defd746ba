"""Text that came from outside, made harmless before anything else sees it."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal

_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HIDDEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str, *, limit: int, field: str, required: bool = True) -> str:
    """``text`` without what PostgreSQL or a page cannot hold (NUL, controls, half surrogate pairs become U+FFFD).

    Raises Refusal beside ``field`` when it is empty though required, or longer than ``limit`` characters: the sender
    keeps the text and is told the limit; nothing is cut silently.
    """
    text = _CONTROLS.sub(
        "", _SURROGATES.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    ).strip()
    if required and not text:
        raise Refusal("empty", _("This must not be empty."), field=field)
    if len(text) > limit:
        raise Refusal(
            "too_long",
            _("This is too long: %(length)s characters, at most %(limit)s.")
            % {"length": len(text), "limit": limit},
            field=field,
        )
    return text


def clean_line(text: str, *, limit: int, field: str, required: bool = True) -> str:
    """As :func:`clean`, for one line: blanks are folded, and letters that hide or turn text are taken out."""
    return clean(" ".join(_HIDDEN.sub("", text).split()), limit=limit, field=field, required=required)


def file_name(raw: str) -> str:
    """A file name that is only a name: no folders, no controls, no text-turning letters, at most 150 characters, its ending kept."""
    name = unicodedata.normalize("NFC", _HIDDEN.sub("", _CONTROLS.sub("", _SURROGATES.sub("\ufffd", raw))))
    name = name.replace("\\", "/").rsplit("/", 1)[-1].strip(" .") or "file"
    if len(name) > 150:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: 140 - len(ending)]}…{dot}{ending}" if dot and len(ending) <= 10 else name[:150]
    return name
