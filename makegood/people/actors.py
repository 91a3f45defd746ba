"""Who acts, and through which door. Every verb is given one explicitly, also when it is the system (law 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from makegood.people.models import User

Door = Literal["page", "api", "mail", "worker", "command"]
CUSTOMER, SYSTEM, PARTY = "customer", "system", "party"


@dataclass(frozen=True)
class Actor:
    """``role`` is one of ``people.models.Role``, 'customer', 'party' (outside) or 'system'."""

    role: str
    door: Door
    user_id: int | None = None
    customer_id: int | None = None
    name: str = ""
    party_id: int | None = None

    @property
    def person(self) -> int:
        """The id of the signed-in user who acts; our own mistake (not the actor's) when there is none."""
        if self.user_id is None:
            raise RuntimeError(f"a {self.role} is no signed-in user")
        return self.user_id

    def by(self, door: Door) -> Actor:
        return replace(self, door=door)

    @property
    def is_staff(self) -> bool:
        return self.user_id is not None and self.role != "merchant"


def user(who: User, door: Door = "page") -> Actor:
    return Actor(role=who.role, door=door, user_id=who.pk, name=who.name)


def customer(customer_id: int, door: Door = "page") -> Actor:
    return Actor(role=CUSTOMER, door=door, customer_id=customer_id)


def party(party_id: int, door: Door = "page") -> Actor:
    """An outside party that answers by its link or by a letter."""
    return Actor(role=PARTY, door=door, party_id=party_id)


def system(door: Door = "worker") -> Actor:
    return Actor(role=SYSTEM, door=door)
