"""A demo case goes to specialists with its card, written in the language of its story."""

from __future__ import annotations

from datetime import timedelta

from makegood.base import clock
from makegood.base.languages import EN, KO, ZH
from makegood.demo.tale import Tale
from makegood.desk import handing
from makegood.promises.ledger import next_word_due

CARDS = {
    KO: {
        "customer_asks": "약속한 처리를 오늘 안에 끝내 달라고 하십니다.",
        "tried": "기록을 두 번 확인했고 재처리를 한 번 요청했으나 같은 단계에서 멈췄습니다.",
        "asked": "왜 이 단계에서 멈추는지 찾아 다시 진행해 주십시오.",
        "restated": "멈춘 원인을 찾아 풀고, 약속한 시각 전에 결과를 알려 드리겠습니다.",
    },
    ZH: {
        "customer_asks": "顾客要求今天内处理完毕。",
        "tried": "已核对两次记录，重新提交一次，仍停在同一步。",
        "asked": "请查明为什么停在这一步，并让它继续。",
        "restated": "我来查停住的原因并恢复处理，在承诺时间前给出结果。",
    },
    EN: {
        "customer_asks": "To have it done today, as was promised.",
        "tried": "Looked at the records twice and sent it again once; it stops at the same step.",
        "asked": "Find out why it stops there, and set it going.",
        "restated": "I find what holds it, free it, and report before the promised time.",
    },
}


def assign(tale: Tale) -> None:
    """To specialists, with its card; mostly one of them restates it and has it from then on."""
    team = tale.world.teams[tale.rng.choice(["technology", "finance", "logistics"])]
    words = CARDS[tale.script.language]
    by_when = clock.now() + timedelta(hours=6)
    card = handing.Card(words["customer_asks"], words["tried"], words["asked"], by_when)
    handing.hand_over(tale.here, card, by=tale.by(tale.owner), seen=None, team=team)
    receiver = team.members.exclude(pk=tale.owner.pk).order_by("id").first()
    if receiver is not None and tale.rng.random() < 0.7:
        handing.accept_handover(
            tale.here,
            by=tale.by(receiver),
            seen=None,
            restated=words["restated"],
            next_word_at=next_word_due(tale.here),
        )
