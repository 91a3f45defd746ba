"""The one place where originals of masked values are kept and opened. Texts are masked before anything else reads them.

The desk's door (``desk/verb.py``) masks whatever people hand to a verb by :func:`arriving`; words that come another way (a report, a
letter, a draft) are masked by :func:`masked` or :func:`taken` before anything reads them. So neither the search index nor signals, letters,
the helper or webhooks can ever hold the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from django.utils.crypto import salted_hmac

from makegood.base import clock
from makegood.base.seal import seal, unseal
from makegood.cases.models import Case, MaskedValue
from makegood.people.actors import Actor
from makegood.text.masking import Masked, Secret, mask, mask_markup
from makegood.transactions.models import Order, Shipment


def masked(text: str, shop_id: int) -> Masked:
    """``text`` masked; numbers of the shop's orders and of parcels stay. Costs a query only where something looks secret."""
    return mask(text, _known(shop_id))


def keep(case: Case, secrets: Iterable[Secret], *, by: Actor) -> None:
    """Seal the originals with the case; what it holds already is kept once."""
    rows = {
        _digest(case, secret): MaskedValue(
            case=case,
            kind=secret.kind,
            shown=secret.shown[:80],
            sealed=seal({"value": secret.value}),
            digest=_digest(case, secret),
            role=by.role,
            by_id=by.user_id,
            at=clock.now(),
        )
        for secret in secrets
    }
    if rows:
        MaskedValue.objects.bulk_create(rows.values(), ignore_conflicts=True)


def taken(case: Case, text: str, *, by: Actor) -> str:
    """``text`` masked, its originals sealed with the case."""
    found = masked(text, case.shop_id)
    keep(case, found.secrets, by=by)
    return found.text


#: Fields that name a record or a code: sixteen digits there are the shop's own number of it, and people need it as it stands.
#: A file keeps the name that its sender gave it.
NAMES = frozenset({"reference", "record", "done_by_hand", "order_number", "to", "email", "phone", "files"})


def arriving(case: Case, value: Any, *, by: Actor, field: str = "") -> Any:
    """Whatever somebody handed to a verb, with every free word of it masked: texts, and texts in lists, mappings and dataclasses.

    The desk's door (``desk/verb.py``) calls this for each argument, so that a new field cannot be forgotten.
    """
    if field in NAMES:
        return value
    if isinstance(value, str):
        return taken(case, value, by=by) if _looks_long(value) else value
    if isinstance(value, Mapping):
        return {name: arriving(case, one, by=by, field=str(name)) for name, one in value.items()}
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(arriving(case, one, by=by, field=field) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: getattr(value, f.name) for f in fields(value) if f.init}
        masked_ = {name: arriving(case, one, by=by, field=name) for name, one in parts.items()}
        changed = {
            name: one for name, one in masked_.items() if one is not parts[name] and one != parts[name]
        }
        return replace(value, **changed) if changed else value
    return value


def _looks_long(text: str) -> bool:
    """Whether it can hold anything to mask at all: three digits in it (the code of a card has no more)."""
    return sum(c.isdigit() for c in text) >= 3


def taken_markup(case: Case, html: str, secrets: tuple[Secret, ...]) -> str:
    """The html of a letter, masked like its text. What stands in the html alone is masked too, and kept nowhere but in the letter's source."""
    return mask_markup(html, secrets, _known(case.shop_id)) if html else html


def opened(row: MaskedValue) -> str:
    """The original; '' where it was erased. Raises seal.Broken. Only ``desk/revealing.py`` calls this, after it has written who asks and why."""
    return unseal(row.sealed).get("value", "")


def erase(case: Case, *, by: Actor) -> int:
    """The originals of the case are gone for good; what was masked stays masked. Returns how many."""
    return MaskedValue.objects.filter(case=case, erased_at__isnull=True).update(
        sealed=b"", erased_at=clock.now(), erased_by_id=by.user_id
    )


def _digest(case: Case, secret: Secret) -> str:
    bare = "".join(c for c in secret.value if c.isalnum()).lower()
    return salted_hmac("makegood.vault", f"{case.pk}:{secret.kind}:{bare}", algorithm="sha256").hexdigest()


def _known(shop_id: int) -> Callable[[str], bool]:
    def known(digits: str) -> bool:
        return (
            Order.objects.filter(shop_id=shop_id, number=digits).exists()
            or Shipment.objects.filter(tracking=digits).exists()
        )

    return known
