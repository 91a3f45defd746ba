"""What is wanted of a process that is watched: by the house, and by each shop."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base import clock
from makegood.base.errors import Refusal
from makegood.cases.access import shops_served
from makegood.packs.watching import processes
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.watch.models import WatchSetting


@dataclass(frozen=True)
class Wanted:
    """Of one shop. ``alpha``: false alarms of 1,000, as text; '' for what the house accepts."""

    on: bool
    tell_first: bool
    alpha: str = ""


def keep(process: str, *, by: Actor, on: bool, alpha: str, shops: dict[int, Wanted]) -> None:
    """What is wanted of a process: on or off, its false alarms (of 1,000, as text, '' as the process says), and the same by
    shop. Raises Refusal."""
    roles.check(by, "keep_watch")
    if process not in processes():
        raise Refusal("unknown_code", _("This is not in the list."), field="process")
    wanted = _share(alpha, "alpha")
    of_shop = {pk: _share(one.alpha, f"alpha-{pk}") for pk, one in shops.items()}
    served = shops_served(by)
    changed = {"changed_by_id": by.person, "changed_at": clock.now()}
    with transaction.atomic():
        WatchSetting.objects.update_or_create(
            process=process, shop=None, defaults={"on": on, "alpha": wanted, **changed}
        )
        for shop in Shop.objects.filter(pk__in=shops):
            if served is None or shop.pk in served:
                one = shops[shop.pk]
                wants = {"on": one.on, "tell_first": one.tell_first, "alpha": of_shop[shop.pk]}
                WatchSetting.objects.update_or_create(
                    process=process, shop=shop, defaults={**wants, **changed}
                )


def _share(text: str, field: str) -> float | None:
    if not text.strip():
        return None
    try:
        per_thousand = float(text.replace(",", "."))
    except ValueError:
        per_thousand = -1.0
    if not 0 <= per_thousand <= 500:
        raise Refusal(
            "bad_share", _("Say how many of 1,000 steps may be told in vain: 0 to 500."), field=field
        )
    return per_thousand / 1000
