"""A demo case that is worth a war room: its card filled, its people at work, in the language of its story."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from makegood.base import clock
from makegood.base.languages import EN, KO, ZH
from makegood.demo.tale import Tale
from makegood.desk import room_card, room_work, rooming
from makegood.incidents.models import Room

#: What stands on the card, in the order in which it was written.
CARDS = {
    KO: {
        "background": "같은 단계에서 세 번 멈췄고, 고객은 같은 일로 세 번째 연락하셨습니다.",
        "ask": "오늘 안에 처리를 끝내고, 왜 멈췄는지 알려 달라고 하십니다.",
        "progress": "멈춘 단계는 찾았습니다. 다시 진행하는 방법을 확인하고 있습니다.",
        "blocker": "확인 단계의 담당 기록이 비어 있어 다음으로 넘어가지 않습니다.",
        "help": "기록을 채울 권한이 있는 분이 필요합니다.",
        "handlers": "伟: 기록과 재진행. 현우: 금액 확인. 민서: 고객 안내.",
    },
    ZH: {
        "background": "三次停在同一步，顾客为同一件事第三次联系。",
        "ask": "希望今天处理完，并说明为什么停住。",
        "progress": "已找到停住的一步，正在确认如何恢复。",
        "blocker": "审核一步没有负责人记录，无法进入下一步。",
        "help": "需要有权限补录的同事。",
        "handlers": "伟：记录与恢复。현우：核对金额。小琳：答复顾客。",
    },
    EN: {
        "background": "It stopped three times at the same step, and the customer has written a third time about it.",
        "ask": "To have it done today, and to know why it stopped.",
        "progress": "The step where it stops is found; how to set it going again is being checked.",
        "blocker": "The review has nobody on its record, so it never goes on to the next step.",
        "help": "Somebody who may complete that record.",
        "handlers": "伟: the record, and setting it going. 현우: the amount. Grace: the customer.",
    },
}
CHAT = {
    KO: (
        "기록을 열어 보니 담당자 칸이 비어 있습니다.",
        "금액은 맞습니다. 주문과 같습니다.",
        "고객께 다음 안내 시각을 약속드렸습니다.",
    ),
    ZH: ("打开记录看了，负责人一栏是空的。", "金额核对无误，与订单一致。", "已告诉顾客下一次答复的时间。"),
    EN: (
        "I opened the record: nobody stands in the review.",
        "The amount is right; it is that of the order.",
        "The customer has a time for the next word.",
    ),
}
TASK = {
    KO: "담당 기록을 채우고 다시 진행하기",
    ZH: "补全负责人记录并恢复处理",
    EN: "Complete the record and set it going again",
}
DECISION = {
    KO: ("손으로 먼저 진행합니다.", "원인을 고치는 동안 고객이 더 기다리시지 않게 하려는 것입니다."),
    ZH: ("先手工处理。", "修复原因期间不让顾客再等。"),
    EN: ("We do this one by hand first.", "So that the customer does not wait while the cause is mended."),
}


def room(tale: Tale) -> None:
    """A lead opens the room; the card, the chat, a task and a decision are written within half an hour."""
    words, lead = tale.script.language, tale.world.leads()[0]
    here, people, minute = tale.here, tale.world.users, count(1)
    card, tech, money = CARDS[words], people["specialist"], people["specialist2"]
    found = Room.objects.filter(case=here, closed_at__isnull=True).first()
    if found is None:  # else the ladder was quicker
        rooming.open_room(here, by=tale.by(lead), background=card["background"], ask=card["ask"])
        found = Room.objects.get(case=here)
    leads = rooming.lead_of(found)
    for user, role in ((tech, "technical"), (money, "handler"), (tale.owner, "voice")):
        if user.pk != leads:
            rooming.give_role(found, by=tale.by(lead), user=user, role=role)
    began = clock.now()
    for user, line in zip((tech, money, tale.owner), CHAT[words], strict=True):
        with clock.travel(began + timedelta(minutes=next(minute) * 3)):
            room_work.say(found, by=tale.by(user), text=line)
    with clock.travel(began + timedelta(minutes=next(minute) * 3)):
        written = room_card.card(found)
        for field in (name for name in card if written[name] is None):
            room_card.edit_card(found, by=tale.by(tech), field=field, n=0, text=card[field])
        until = clock.now() + timedelta(hours=5)
        room_work.give_task(found, by=tale.by(lead), owner=tech, what=TASK[words], due_at=until)
        what, why = DECISION[words]
        room_work.decide(found, by=tale.by(lead), who=lead, what=what, why=why)
