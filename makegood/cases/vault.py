"""The one place where originals of masked values are kept and opened. Texts are masked before anything else reads them.

Whoever stores words of a case calls :func:`masked` (or, where there is a case already, :func:`taken`) first: then neither
the search index nor signals, letters, the helper or webhooks can ever hold the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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
