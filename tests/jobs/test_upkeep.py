"""What has had its day goes; what is still of use stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from makegood.base import clock
from makegood.cases.models import Correction, Presence
from makegood.jobs import upkeep
from makegood.people.models import ApiToken
from tests import cast as stages

pytestmark = pytest.mark.django_db


def test_old_presences_keys_and_sessions_go_and_fresh_ones_stay(cast):
    case, now = stages.reported(cast), clock.now()
    token, _secret = ApiToken.issue(cast.root, "t", [])
    keys = upkeep.apps.get_model("makegood", "IdempotencyKey").objects
    for who, age in ((cast.minji, 2), (cast.jun, 0)):
        Presence.objects.create(case=case, user=who, seen_at=now - timedelta(days=age))
    for days in (31, 1):
        keys.create(token=token, key=str(days), body_hash="x", made_at=now - timedelta(days=days))
        Session.objects.create(
            session_key=f"s{days}", session_data="", expire_date=now + timedelta(days=9 - days)
        )
    done = upkeep.clean_up()
    assert {name: n for name, n in done.items() if n} == {
        "presences": 1,
        "idempotency_keys": 1,
        "sessions": 1,
    }
    assert Presence.objects.get().user == cast.jun and keys.get().key == "1"


def test_training_waits_for_25_corrections(cast):
    for n in range(upkeep.ENOUGH):
        assert not upkeep.enough_to_learn("makegood.jobs.tasks.retrain")
        Correction.objects.create(case=stages.reported(cast), text=str(n), language="en", type="refund.delay")
    assert upkeep.enough_to_learn("makegood.jobs.tasks.retrain")
