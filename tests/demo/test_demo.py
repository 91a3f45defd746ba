"""The demo: every status, ending, type and language is there; it is told through the desk; the same seed tells the same."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from makegood.base import clock
from makegood.base.languages import CODES
from makegood.cases.access import case_by_token
from makegood.cases.models import (
    Case,
    CaseEvent,
    Closure,
    Freeze,
    MaskedValue,
    Relation,
    UrgencyEvidence,
)
from makegood.cases.states import Status
from makegood.conversations.models import Attachment, Delivery, Message
from makegood.demo import build, stream
from makegood.demo.scripts import phrases, scripts
from makegood.incidents.models import CardField, Room
from makegood.packs import playbook, sources, taxonomy
from makegood.parties.models import PartyAsk, PartySending
from makegood.people.models import Role, Shop
from makegood.promises.models import Promise
from makegood.remedies.models import Offer, Remedy, Step
from makegood.transactions.models import Order

pytestmark = pytest.mark.django_db
WORDS = "makegood-demo-1"


def told(**options: object) -> str:
    out = StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def test_everything_that_a_case_can_be_is_in_the_demo():
    build.build(password=WORDS, cases=44, orders=60)
    assert set(Case.objects.values_list("status", flat=True)) == set(Status.values)
    endings = {"", "made_good", "unconfirmed", "disagreed", "withdrawn", "merged"}
    assert set(Case.objects.values_list("ended_as", flat=True)) == endings
    assert set(taxonomy().types) <= set(Case.objects.values_list("type", flat=True))
    assert set(Case.objects.values_list("language", flat=True)) == set(CODES)
    assert Case.objects.filter(round__gt=1).exclude(status="ended").exists()
    assert Case.objects.filter(parent__isnull=False).count() == 2
    assert set(Relation.objects.values_list("what", flat=True)) == {"related", "split_from"}
    assert {"kept", "broken", "open"} <= set(Promise.objects.values_list("state", flat=True))
    assert Promise.objects.filter(state="open", due_at__lt=clock.now()).exists()
    assert UrgencyEvidence.objects.filter(source__startswith="signal:").exclude(quote="").exists()
    assert Attachment.objects.filter(content_type="image/png").exists()
    assert set(Message.objects.values_list("audience", flat=True)) == {"customer", "merchant", "staff"}
    room = next(r for r in Room.objects.all() if r.tasks.exists())
    assert {f.field for f in CardField.objects.filter(room=room)} >= {
        "background",
        "ask",
        "progress",
        "blocker",
    }
    assert room.messages.count() == 3 and room.tasks.count() == 1 and room.decisions.count() == 1
    # Nine have the remedies below, eleven what the watch finds.
    assert Order.objects.count() == 60 + 9 + 3 + stream.WAIT

    # Remedies, outside parties and a case of security, in every state that somebody would want to see.
    assert Offer.objects.filter(state="open").count() == 2
    assert set(Remedy.objects.values_list("state", flat=True)) == {
        "offered",
        "waiting",
        "carrying",
        "done",
        "arrived",
    }
    assert sorted(Step.objects.values_list("state", "there")) == [
        ("done", "paid_out"),
        ("done", "sent"),
        ("unknown", ""),
    ]
    assert PartyAsk.objects.filter(state="open", due_at__lt=clock.now()).count() == 1
    assert PartyAsk.objects.filter(state="open", due_at__gt=clock.now()).count() == 1
    assert Freeze.objects.get().state == "asked" and MaskedValue.objects.filter(kind="card").exists()
    assert not PartySending.objects.filter(state="waiting").exists(), "the demo writes to nobody"
    assert {s.currency for s in Shop.objects.all()} == {"KRW", "CNY", "USD"}

    # It was told through the desk, at moments that lie behind us, and no worker will ever send its letters.
    assert not CaseEvent.objects.filter(written_at__gt=clock.now()).exists()
    assert not Message.objects.filter(at__gt=clock.now()).exists()
    for case in Case.objects.prefetch_related("events"):
        assert [e.seq for e in case.events.all()] == list(range(1, case.version + 1))
    assert Closure.objects.count() == Case.objects.filter(ended_as="made_good").count()
    assert Delivery.objects.exists() and not Delivery.objects.filter(state="waiting").exists()
    assert not Delivery.objects.exclude(to__endswith=".example").exists()


def test_the_same_seed_at_the_same_moment_tells_the_same_texts():
    def texts(seed: int) -> list[str]:
        with clock.travel(datetime(2026, 11, 22, 3, tzinfo=UTC)), transaction.atomic():
            build.build(password=WORDS, seed=seed, cases=6, orders=10)
            found = list(Message.objects.order_by("id").values_list("body", flat=True))
            transaction.set_rollback(True)
        return found

    first = texts(7)
    assert first and texts(7) == first
    assert texts(8) != first


def test_a_build_that_fails_leaves_nothing():
    def fail() -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        build.build(password=WORDS, cases=5, orders=5, step=fail)
    assert not build.there() and not Case.objects.exists() and not Shop.objects.exists()


def test_the_command_prints_sign_ins_that_work_and_a_second_run_says_that_it_is_there(monkeypatch):
    first = told(cases=18, orders=20)
    for role in (Role.AGENT, Role.LEAD, Role.SPECIALIST, Role.MANAGER, Role.MERCHANT):
        assert f"{role.value}@demo.makegood.example" in first
    token = first.rsplit("/c/", 1)[1].split("/")[0]
    case, by = case_by_token(token)
    assert case.status == "told" and by.customer_id == case.customer_id

    before = Case.objects.count()
    monkeypatch.setenv("MAKEGOOD_DEMO_PASSWORD", "another good word 5")
    again = told()
    assert "there already" in again and "another good word 5" in again
    assert Case.objects.count() == before
    assert all(
        u.check_password("another good word 5")
        for u in Case.objects.exclude(owner=None)[0].owner.teams.get(name="Front line").members.all()
    )


def test_the_demo_refuses_a_database_with_cases_unless_it_is_forced(cast):
    from tests import cast as stages

    stages.reported(cast)
    with pytest.raises(CommandError, match="cases already"):
        told(cases=25, orders=25)
    assert Case.objects.count() == 1
    told(cases=3, orders=3, force=True)
    assert Case.objects.count() > 3


def test_a_weak_password_is_refused_in_one_sentence(monkeypatch):
    monkeypatch.setenv("MAKEGOOD_DEMO_PASSWORD", "short")
    with pytest.raises(CommandError, match="MAKEGOOD_DEMO_PASSWORD"):
        told(cases=25)


@pytest.mark.parametrize("language", CODES)
def test_every_script_fits_the_packs(language):
    assert len(scripts(language)) >= 10
    same = phrases("en").keys()
    assert phrases(language).keys() == same
    for script in scripts(language):
        assert script.type in taxonomy().types, script.id
        assert script.remedy in taxonomy().remedies, script.id
        assert script.proof in sources().proofs, script.id
        assert {source for source, _text in script.facts} <= set(sources().sources), script.id
        assert set(script.answers) <= {i.code for i in playbook(script.type).items()}, script.id
