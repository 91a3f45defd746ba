"""Keeping the lines under letters: a person's own, a team's, a brand's; and whether a person's answers wait to be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotAllowed
from makegood.base.languages import CODES
from makegood.base.words import clean
from makegood.cases.access import shops_served
from makegood.desk.ready import teams_of
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.people.models import Shop
from makegood.people.signatures import Habit, Signature

LONGEST = 600


@dataclass(frozen=True)
class Owner:
    """A team or a shop with its lines by language; ``key`` is 'team-3' or 'shop-5'."""

    key: str
    name: str
    texts: dict[str, str]


def owners(by: Actor) -> list[Owner]:
    """The teams and brands whose lines this person may write."""
    served = shops_served(by)
    shops = (
        Shop.objects.order_by("name")
        if served is None
        else Shop.objects.filter(pk__in=served).order_by("name")
    )
    found = [("team", team.pk, team.name) for team in teams_of(by)]
    found += [("shop", shop.pk, shop.name) for shop in shops]
    texts: dict[tuple[str, int], dict[str, str]] = {}
    for row in Signature.objects.filter(user=None):
        place = ("team", row.team_id) if row.team_id else ("shop", row.shop_id or 0)
        texts.setdefault(place, {})[row.language] = row.text
    return [Owner(f"{kind}-{pk}", name, texts.get((kind, pk), {})) for kind, pk, name in found]


def save(key: str, texts: Mapping[str, str], *, by: Actor) -> None:
    """Keep the lines of a team or a brand. Raises NotAllowed for one that is not the person's, Refusal when too long."""
    roles.check(by, "keep_replies")
    if key not in {owner.key for owner in owners(by)}:
        raise NotAllowed("other_team", _("This belongs to another team, or to all of them."), field="owner")
    kind, _dash, pk = key.partition("-")
    _put({f"{kind}_id": int(pk)}, texts)


def mine(by: Actor) -> dict[str, str]:
    """One's own lines by language."""
    return dict(Signature.objects.filter(user_id=by.person).values_list("language", "text"))


def save_mine(texts: Mapping[str, str], *, hold: bool, by: Actor) -> None:
    """One's own lines, and whether one's answers are held for some seconds. Raises Refusal when too long."""
    with transaction.atomic():
        _put({"user_id": by.person}, texts)
        Habit.objects.update_or_create(user_id=by.person, defaults={"hold": hold})


def _put(owner: dict[str, Any], texts: Mapping[str, str]) -> None:
    written = {
        code: clean(texts.get(code, ""), limit=LONGEST, field=f"signature_{code}", required=False)
        for code in CODES
    }
    with transaction.atomic():
        for code, text in written.items():
            if text:
                Signature.objects.update_or_create(**owner, language=code, defaults={"text": text})
            else:
                Signature.objects.filter(**owner, language=code).delete()
