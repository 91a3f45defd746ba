"""Carrying remedies out: what is due is asked of its shop outside of every transaction, and what nobody knows is looked up.

At most once: a row that was claimed is never sent again, whatever becomes of us. See ``desk/remedy_steps.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from makegood.connectors.errors import OutsideError
from makegood.connectors.ports import Outcome
from makegood.desk import freeze_asks, remedy_facts, remedy_settling, remedy_steps, remedy_stores
from makegood.remedies.freezes import FreezeAsk
from makegood.remedies.models import Step

log = logging.getLogger("makegood.jobs")
#: Steps that one job takes before it makes room for others.
BATCH = 200
#: After so many steps the shops are heard again.
HEARD = 20


def work(stop: Callable[[], bool] = lambda: False) -> int:
    """What the shops told is heard, what nobody knows is looked up, then what is due is sent; how many steps were taken.

    Looked up before anything is sent: in a long queue of new asks (the fault run showed it) an unknown one, and the payment that
    it blocks, would wait for all of them.
    """
    taken = 0
    while taken < BATCH and not stop():
        if taken % HEARD == 0:
            freezes(stop)
            remedy_facts.hear_all(stop)
        if (step := remedy_steps.claim_look_up()) is not None:
            look_up(step)
        elif (step := remedy_steps.claim()) is not None:
            send(step)
        else:
            break
        taken += 1
    return taken


def freezes(stop: Callable[[], bool] = lambda: False) -> int:
    """What is to be stopped at once goes before everything; how many were asked or looked up."""
    count = 0
    while not stop():
        if (row := freeze_asks.claim_look_up()) is not None:
            freeze_asks.settle(row.pk, _freeze_looked_up(row))
        elif (row := freeze_asks.claim()) is not None:
            freeze_asks.settle(row.pk, _freeze(row))
        else:
            break
        count += 1
    return count


def _freeze(row: FreezeAsk) -> Outcome:
    """Ask once, if the shop says that it can: what it can do is read from it, not assumed."""
    try:
        connector = freeze_asks.connector_of(row)
        able = "freeze" in connector.capabilities().actions
    except Exception as error:  # it cannot be opened or does not answer: nothing was sent
        log.warning("the shop of freeze %s cannot be asked: %s", row.pk, error)
        return Outcome("refused", "unreachable", theirs=type(error).__name__)
    if not able:
        return Outcome("refused", "not_able")
    try:
        return connector.do(freeze_asks.ask_of(row))
    except OutsideError as error:
        return Outcome("refused", "unfit", theirs=error.code[:80])
    except Exception:
        log.exception("freeze %s: nobody knows what became of it", row.pk)
        return Outcome("unknown", "strange")


def _freeze_looked_up(row: FreezeAsk) -> Outcome:
    try:
        return freeze_asks.connector_of(row).look_up(freeze_asks.ask_of(row))
    except Exception as error:
        log.warning("freeze %s cannot be looked up now: %s", row.pk, type(error).__name__)
        return Outcome("unknown", "lost")


def send(step: Step) -> None:
    """Ask for one claimed step, once."""
    try:
        connector = remedy_stores.opened(step)
    except Exception as error:  # a seal that does not open, a client that is not installed: nothing was sent
        log.warning("the shop of step %s cannot be asked: %s", step.pk, error)
        remedy_settling.settle(step.pk, Outcome("refused", "unreachable", theirs=type(error).__name__))
        return
    if connector is None:
        # Nothing was sent and nothing can be: certain.
        remedy_settling.settle(step.pk, Outcome("refused", "not_able"))
        return
    try:
        outcome = connector.do(remedy_stores.ask_of(step))
    except OutsideError as error:
        # Our own mistake in the ask, found before anything was sent.
        outcome = Outcome("refused", "unfit", theirs=error.code[:80])
    except Exception:
        # Whatever broke, it may have broken after it was sent.
        log.exception("step %s: nobody knows what became of it", step.pk)
        outcome = Outcome("unknown", "strange")
    remedy_settling.settle(step.pk, outcome)


def look_up(step: Step) -> None:
    """Look one step up that nobody knows of, or whose result is on its way; what cannot be looked up now is looked up later."""
    try:
        connector = remedy_stores.opened(step)
        if connector is None:
            return  # the store was switched off: it stays unknown until it is on again
        outcome = connector.look_up(remedy_stores.ask_of(step))
    except Exception as error:
        log.warning("step %s cannot be looked up now: %s", step.pk, type(error).__name__)
        outcome = Outcome("unknown", "lost")
    settle = remedy_settling.looked_again if step.state == Step.State.DONE else remedy_settling.settle
    settle(step.pk, outcome)
