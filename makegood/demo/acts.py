"""What happens in a demo case, one function an act; every one asks the desk, like any other door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from makegood.base import clock
from makegood.cases.models import Telling
from makegood.cases.urgency import Impact
from makegood.demo import files
from makegood.demo.cards import assign
from makegood.demo.careful import answered_for
from makegood.demo.rooms import room
from makegood.demo.scripts import phrases, pick, report_text
from makegood.demo.tale import Tale
from makegood.desk import closing, fixing, handling, joining, talking, telling, triaging
from makegood.desk.opening import Report, open_case
from makegood.packs import playbook, policy
from makegood.people import actors
from makegood.people.models import Role


def open_(tale: Tale) -> None:
    """The customer's page mostly; else the telephone, a letter or another system."""
    roll = tale.rng.random()
    by, channel = actors.customer(tale.customer.pk), ""
    if roll > 0.9:
        by = actors.system("api")
    elif roll > 0.8:
        by, channel = actors.system("mail"), "letter"
    elif roll > 0.68:
        by, channel = tale.by(tale.owner), "phone"
    attached = []
    if tale.script.facts[-1][0] == "screenshot" or tale.script.facts[0][0] == "screenshot":
        attached.append(files.photo("photo.png", tale.turn + len(tale.script.id)))
    elif tale.rng.random() < 0.2:
        attached.append(files.text("receipt.txt", tale.phrase("receipt")))
    report = Report(
        text=tale.fill(report_text(tale.script, tale.turn)),
        order_number=tale.order.number if tale.rng.random() < 0.6 else "",
        type=tale.script.type if tale.rng.random() < 0.3 else "",
        asked_remedy=tale.script.remedy if tale.rng.random() < 0.3 else "",
        channel=channel,
        files=attached,
    )
    tale.case = open_case(tale.customer.shop, report, by=by, customer=tale.customer).case


def triage(tale: Tale) -> None:
    impact, rng = None, tale.rng
    if tale.script.type in ("payment.double", "payment.failed", "account.fraud") and rng.random() < 0.5:
        impact = Impact(tale.order.total, tale.order.currency)
    if tale.script.type == "order.place" and rng.random() < 0.6:
        impact = Impact(orders_blocked=rng.randrange(2, 20), campaign_at_risk=rng.random() < 0.3)
    sorting = triaging.Sorting(
        type=tale.script.type,
        asked_remedy=tale.script.remedy,
        order_number=tale.order.number,
        impact=impact,
        suggested=tale.script.type if rng.random() < 0.8 else "",
    )
    triaging.triage(tale.here, sorting, by=tale.by(tale.owner), seen=None)


def take(tale: Tale) -> None:
    handling.take(tale.here, by=tale.by(tale.owner), seen=None)


def reply(tale: Tale) -> None:
    _reply(tale, pick(tale.script.reply, tale.turn))


def progress(tale: Tale) -> None:
    _reply(tale, pick(tale.script.progress, tale.turn))


def again_reply(tale: Tale) -> None:
    _reply(tale, pick(phrases(tale.script.language)["again_reply"], tale.turn))


def _reply(tale: Tale, core: str) -> None:
    due = tale.next_word()
    said = answered_for(tale, tale.letter(core, due), "reply", due)
    talking.reply(tale.here, by=tale.by(tale.owner), seen=None, next_word_at=due, **said)


def answers(tale: Tale) -> None:
    """Ticks: what the customer answered, and the first fact that was collected. Items that a team took out are left."""
    book = playbook(tale.script.type)
    there = {item.code for item in book.items()}
    for item, answer in tale.script.answers.items():
        if item in there:
            triaging.tick(tale.here, item, by=tale.by(tale.owner), answer=tale.fill(answer))
    if book.facts:
        triaging.tick(tale.here, book.facts[0].code, by=tale.by(tale.owner))


def facts(tale: Tale) -> None:
    for nth, (source, text) in enumerate(tale.script.facts):
        triaging.note_fact(
            tale.here,
            by=tale.by(tale.owner),
            text=tale.fill(text),
            source=source,
            happened_at=tale.moments[0] - timedelta(hours=5 + 20 * nth),
            detail=tale.order.number if source.endswith("record") else "",
        )


def note(tale: Tale) -> None:
    talking.note(tale.here, by=tale.by(tale.owner), text=tale.phrase("note"))


def more(tale: Tale) -> None:
    words = tale.fill(pick(tale.script.more, tale.turn))
    talking.customer_writes(tale.here, by=actors.customer(tale.customer.pk), text=words)


def merchant(tale: Tale) -> None:
    """The merchant of the shop answers, and we answer them; only where the script has their words."""
    sellers = tale.customer.shop.merchants.filter(role=Role.MERCHANT)
    if not tale.script.merchant or (seller := sellers.first()) is None:
        return
    theirs, ours = tale.script.merchant
    talking.merchant_says(tale.here, by=actors.user(seller), text=tale.fill(theirs))
    talking.answer_merchant(tale.here, by=tale.by(tale.owner), text=tale.fill(ours))


def wait(tale: Tale) -> None:
    handling.wait(tale.here, by=tale.by(tale.owner), seen=None, waiting_for=tale.script.wait)


def raise_(tale: Tale) -> None:
    case = tale.here
    if case.urgency < 5:
        handling.raise_urgency(
            case, by=tale.by(tale.owner), level=case.urgency + 1, reason=tale.phrase("raise")
        )


def lower(tale: Tale) -> None:
    case, lead = tale.here, tale.world.leads()[0]
    if case.urgency > 1:
        words = {"reason": tale.phrase("lower"), "evidence": tale.phrase("lower_evidence")}
        handling.lower_urgency(case, by=tale.by(lead), seen=None, level=case.urgency - 1, **words)


def aside(tale: Tale) -> None:
    talking.customer_writes(tale.here, by=actors.customer(tale.customer.pk), text=tale.phrase("aside"))


def split(tale: Tale) -> None:
    case = tale.here
    last = case.messages.filter(author="customer").order_by("-id")[0]
    joining.split(case, [last.pk], by=tale.by(tale.owner), seen=None, subject=tale.phrase("aside_subject"))


def duplicate(tale: Tale) -> None:
    """The same customer reports the same thing again; ten minutes later it is merged."""
    report = Report(text=tale.phrase("duplicate"), order_number=tale.order.number)
    by = actors.customer(tale.customer.pk)
    second = open_case(tale.customer.shop, report, by=by, customer=tale.customer).case
    with clock.travel(timedelta(minutes=10)):
        joining.merge(second, tale.here, by=tale.by(tale.owner), seen=None)


def fix(tale: Tale) -> None:
    _fix(tale, tale.fill(tale.script.fix), tale.fill(tale.script.cause))


def fix_again(tale: Tale) -> None:
    _fix(tale, tale.phrase("fix_again"), tale.phrase("cause_again"))


def _fix(tale: Tale, done: str, cause: str) -> None:
    by = tale.by(tale.fixer)
    fixing.record_fix(tale.here, by=by, seen=None, done=done, cause=cause, remedy=tale.script.remedy)


def verify(tale: Tale) -> None:
    _verify(tale, tale.fill(tale.script.seen))


def verify_again(tale: Tale) -> None:
    _verify(tale, tale.phrase("seen_again"))


def _verify(tale: Tale, seen: str) -> None:
    """Somebody else looks; in a third of the cases the fixer, who then names the record."""
    others = [u for u in (tale.owner, *tale.world.leads()) if u != tale.fixer]
    by = tale.by(tale.fixer if tale.rng.random() < 0.3 else tale.rng.choice(others))
    reference = tale.fill(tale.script.reference)
    fixing.verify(
        tale.here, by=by, seen=None, proof=tale.script.proof, what_was_seen=seen, reference=reference
    )


def wanting(tale: Tale) -> None:
    by = tale.by(tale.world.leads()[0])
    fixing.find_wanting(tale.here, by=by, seen=None, what_was_seen=tale.phrase("wanting"))


def tell(tale: Tale) -> None:
    _tell(tale, pick(tale.script.tell, tale.turn))


def tell_again(tale: Tale) -> None:
    _tell(tale, phrases(tale.script.language)["tell_again"])


def _tell(tale: Tale, core: str) -> None:
    due = tale.next_word()
    said = answered_for(tale, tale.letter(core, due, asks=True), "tell", due)
    telling.tell(tale.here, by=tale.by(tale.owner), seen=None, next_word_at=due, **said)


def ask(tale: Tale) -> None:
    telling.ask_again(tale.here, by=tale.by(tale.owner), seen=None, next_word_at=tale.next_word())


def _ask_by_phone(tale: Tale, words: str) -> None:
    due, by = tale.next_word(), tale.by(tale.owner)
    telling.ask_again(tale.here, by=by, seen=None, next_word_at=due, channel="phone", note=tale.phrase(words))


def good(tale: Tale) -> None:
    _confirm(tale, "all_good", tale.fill(pick(tale.script.good, tale.turn)))
    if tale.here.is_open:
        raise ValueError(f"{tale.script.id}: the words beside 'all good' say otherwise")


def doubted(tale: Tale) -> None:
    _confirm(tale, "all_good", tale.phrase("doubted"))


def partly(tale: Tale) -> None:
    _confirm(tale, "partly", tale.fill(tale.script.partly))


def not_good(tale: Tale) -> None:
    _confirm(tale, "not_good", tale.phrase("not_good"))


def _confirm(tale: Tale, answer: str, words: str) -> None:
    case, by = tale.here, actors.customer(tale.customer.pk)
    last = Telling.objects.filter(case=case, round=case.round).order_by("-id")[0]
    telling.confirm(case, by=by, telling_id=last.pk, answer=answer, words=words)


def good_phone(tale: Tale) -> None:
    lead = next(u for u in tale.world.leads() if u != tale.fixer)
    words = tale.phrase("good_phone")
    telling.record_confirmation(
        tale.here, by=tale.by(lead), seen=None, answer="all_good", words=words, channel="phone"
    )


def reopen(tale: Tale) -> None:
    closing.reopen(tale.here, by=actors.customer(tale.customer.pk), why=tale.phrase("reopen"))


def end_unconfirmed(tale: Tale) -> None:
    closing.end_unconfirmed(tale.here, by=tale.by(tale.owner), seen=None)


def disagree(tale: Tale) -> None:
    language = tale.script.language
    route = policy().outside_route(language)
    closing.end_disagreed(
        tale.here,
        by=tale.by(tale.world.leads()[-1]),
        seen=None,
        text=tale.phrase("disagree"),
        outside_route=f"{route.name.into(language)}\n{route.how.into(language)}",
    )


def withdraw(tale: Tale) -> None:
    words = tale.phrase("withdraw")
    closing.withdraw(tale.here, by=actors.customer(tale.customer.pk), seen=None, words=words)


ACTS: dict[str, Callable[[Tale], None]] = {
    "open": open_,
    "raise": raise_,
    "ask_late": ask,
    "ask_phone": partial(_ask_by_phone, words="ask_phone"),
    "ask_missed": partial(_ask_by_phone, words="ask_missed"),
    **{
        act.__name__: act
        for act in (
            triage, take, reply, progress, again_reply, answers, facts, note, more, merchant, assign, wait, lower,
            aside, split, duplicate, fix, fix_again, verify, verify_again, wanting, tell, tell_again, ask,
            good, good_phone, doubted, partly, not_good, reopen, end_unconfirmed, disagree, withdraw, room,
        )
    },
}  # fmt: skip
