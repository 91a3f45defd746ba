"""One fault over many cases: an incident is opened, grows, speaks to every customer once, and ends by their own words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from makegood.base import clock
from makegood.base.errors import NotAllowed, NotThere, Refusal
from makegood.cases.models import Case, Notice
from makegood.conversations.models import Delivery, Message
from makegood.desk import closing, handling, incident_acts, incident_steps, incidents, joining, talking
from makegood.desk.telling import confirm
from makegood.incidents.models import ActStep, Incident, IncidentAct, IncidentCase
from makegood.incidents.progress import counted, stages
from makegood.jobs.sweep import tick
from makegood.people import actors
from makegood.people.models import Customer, Team
from makegood.promises.models import Promise
from tests import cast as stages_of
from tests.cast import fresh, soon

pytestmark = pytest.mark.django_db

KO = "결제 시스템 장애로 입금이 늦어지고 있습니다. 불편을 드려 죄송합니다. 은행과 함께 원인을 확인하고 있으며, 진행 상황을 다시 알려 드리겠습니다."
EN = (
    "Thank you for your patience, and we are sorry for the trouble. A fault in the payment system holds back your refund. "
    "We are working on it with the bank, and will tell you here how it goes."
)
ZH = "您好，很抱歉给您带来不便。由于支付系统故障，您的退款有所延迟。我们正在与银行一起核实原因，会在这里继续告知您进展。"
WORDS = {"ko": KO, "en": EN, "zh-hans": ZH}


def opened(cast, *cases: Case, anchor: Case | None = None, **more) -> Incident:
    anchor = anchor or stages_of.owned(cast)
    more.setdefault("common", {"shop": anchor.shop_id, "type": "refund.delay"})
    event = incidents.open_incident(anchor, by=cast.by(cast.sujin), words="The bank is down.", cases=cases, **more)
    return Incident.objects.get(pk=event.data["incident"])


def many(cast, n: int, stage=stages_of.reported) -> list[Case]:
    """Cases of customers of their own: Korean, English and Korean again."""
    made = []
    for i in range(n):
        customer = Customer.objects.create(
            shop=cast.haneul, name=f"C{i}", email=f"c{i}@customer.example", language=("ko", "en")[i % 2]
        )
        made.append(stage(cast, customer=customer))
    return made


def tell(cast, incident: Incident, user=None, **more) -> IncidentAct:
    more.setdefault("texts", WORDS)
    more.setdefault("reason", "One word to all.")
    event = incident_acts.tell_incident(incident, by=cast.by(user or cast.sujin), **more)
    return IncidentAct.objects.get(pk=event.data["act"])


def states(act: IncidentAct) -> list[str]:
    return sorted(act.steps.values_list("state", flat=True))


def test_one_act_tells_every_customer_in_their_own_language(cast):
    anchor, *others = cases = [stages_of.owned(cast), *many(cast, 3)]
    incident = opened(cast, *others, anchor=anchor)
    act = tell(cast, incident)
    assert states(act) == ["waiting"] * 4 and not Message.objects.filter(author="staff").exists()
    tick()
    assert states(act) == ["done"] * 4
    for case in cases:
        said = Message.objects.get(case=case, author="staff")
        assert said.body == (EN if case.language == "en" else KO) and said.language == case.language
        letter = Delivery.objects.get(message=said)
        assert letter.to == case.customer.email and letter.language == case.language
        event = case.events.get(kind="replied")
        assert event.actor_id == cast.sujin.pk and event.data["act"] == act.pk
        promise = Promise.objects.get(pk=event.data["promise"])
        assert promise.case_id == case.pk and promise.given_in_id == said.pk and promise.state == "open"
        first = Promise.objects.get(case=case, what="first_word")
        assert first.state == "kept" and first.proof_id == said.pk
        assert fresh(case).due_at == min(
            Promise.objects.filter(case=case, state="open").values_list("due_at", flat=True)
        )
        assert fresh(case).status == "working"
