"""How a letter ends: a person's own lines, then those of the team; and how somebody likes to send."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from makegood.base.languages import EN, LANGUAGES, closest
from makegood.people.actors import Actor
from makegood.people.models import Shop, Team, User


class Signature(models.Model):
    """The lines under a letter in one language: of a person, of a team, or of a shop as a brand; exactly one of the three."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="signatures", db_index=False)
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="signatures", db_index=False)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="signatures", db_index=False)
    language = models.CharField(max_length=10, choices=LANGUAGES)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "team", "shop", "language"],
                name="one_signature_a_language",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="signature_of_one",
                condition=Q(user__isnull=False, team__isnull=True, shop__isnull=True)
                | Q(user__isnull=True, team__isnull=False, shop__isnull=True)
                | Q(user__isnull=True, team__isnull=True, shop__isnull=False),
            ),
        ]


class Habit(models.Model):
    """What a person chose about writing; without a row: replies are held for ten seconds."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="habit")
    hold = models.BooleanField(default=True)


def holds(by: Actor) -> bool:
    """Whether this person's replies wait some seconds in which they can be taken back."""
    found = Habit.objects.filter(user_id=by.user_id or 0).values_list("hold", flat=True).first()
    return found is not False


def signature_for(shop_id: int, team_id: int | None, user: User | None, language: str) -> str:
    """The lines under a letter: the person's, then the team's (else the shop's); '' when there are none.

    Each in ``language``; where that is missing in English, else it is left out: a letter never ends in a language that
    its reader did not ask for, but for English.
    """
    wanted = Q(user=user) if user else Q(pk__in=())
    wanted |= Q(shop_id=shop_id)
    if team_id:
        wanted |= Q(team_id=team_id)
    rows = list(Signature.objects.filter(wanted, language__in={closest(language), EN}))

    def of(owner: str) -> str:
        by_language = {row.language: row.text for row in rows if getattr(row, f"{owner}_id") is not None}
        return by_language.get(closest(language)) or by_language.get(EN, "")

    return "\n".join(part for part in (of("user"), of("team") or of("shop")) if part)
