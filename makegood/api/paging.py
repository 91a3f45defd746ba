"""Cursors: where a page ended, signed and bound to its filters, so that nobody makes one up or carries it elsewhere."""

from __future__ import annotations

import hashlib

from django.core import signing
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import Refusal

_signer = signing.Signer(salt="makegood.api-cursor", sep="~")


def cursor(last: int, filters: str) -> str:
    """The cursor of a page that ended with row ``last``; ``filters`` is any text that stands for the filters."""
    return _signer.sign(f"{last}.{_mark(filters)}")


def after(text: str, filters: str) -> int:
    """The row after which the next page begins. Raises Refusal when the cursor is not ours or not of these filters."""
    try:
        last, _dot, mark = _signer.unsign(text).partition(".")
        if mark == _mark(filters):
            return int(last)
    except (signing.BadSignature, ValueError):
        pass
    raise Refusal("bad_cursor", _("This cursor does not belong to this list."), field="cursor")


def _mark(filters: str) -> str:
    return hashlib.sha256(filters.encode()).hexdigest()[:12]
