"""What the demo's shops tell is found by the watch itself: two who were passed, one issued twice, and one fault for all who wait."""

from __future__ import annotations

from random import Random
from threading import Event

import pytest

from makegood.base import clock
from makegood.demo import stream
from makegood.demo.world import assemble
from makegood.desk import incidents
from makegood.incidents.models import Incident
from makegood.jobs import watching
from makegood.transactions.models import StoreFact
from makegood.watch.models import Finding
from tests.log import seen_by_readers

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_watch_finds_what_goes_wrong_today():
    now = clock.now()
    world = assemble(Random(20261122), "makegood-demo-1", now)
    count = stream.tell(world, now)
    assert count == StoreFact.objects.count() > 4000
    seen_by_readers()
    assert watching.follow(Event(), drained=True) == count

    passed = Finding.objects.filter(kind="overtaken", state="raised")
    assert {f.shop.code for f in passed} == {"haneul-living"} and passed.count() == 2
    assert all(f.case and f.case.order_number == f.order_number for f in passed)
    assert Finding.objects.get(kind="duplicate").case is not None

    fault = Finding.objects.get(kind="systemic")
    assert fault.shop.code == "qinghe-home" and fault.step == "refund.payout"
    assert fault.incident == Incident.objects.get()
    waiting = Finding.objects.filter(step="refund.payout", state="raised").exclude(kind="systemic")
    standing = [incidents.standing_of(f.case) for f in waiting]
    assert standing and {one and one.incident for one in standing} == {fault.incident}
    # What was slow in the ordinary weeks ended by itself, and hardly anybody was called for it.
    slow = Finding.objects.filter(kind="stuck").exclude(state="raised")
    assert slow.filter(acted="opened").count() <= 2 and slow.count() < count * 0.01
