"""The canonical tables hold together."""

from __future__ import annotations

from makegood.connectors import canon
from makegood.transactions.models import Order, Payment, Shipment


def test_every_type_tells_a_state_of_its_noun():
    assert len(canon.TYPES) == 48
    for type_, state in canon.TYPES.items():
        noun = canon.noun_of(type_)
        assert noun in canon.NOUNS
        assert state == "" or state in canon.STATES[noun], type_


def test_what_is_stored_has_the_same_states():
    for noun, model in (("order", Order), ("payment", Payment), ("shipment", Shipment)):
        assert set(model.State.values) == set(canon.STATES[noun])
