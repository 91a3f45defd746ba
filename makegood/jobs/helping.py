"""Asking the optional helper: claimed in one transaction, asked outside of every one, judged and stored in another."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from makegood.connectors import circuit, helper
from makegood.connectors.errors import OutsideError
from makegood.connectors.helper import SECONDS, Answer, Helper
from makegood.conversations.models import HelperTask
from makegood.desk import helping
from makegood.desk.helper_words import Told, told

log = logging.getLogger("makegood.helper")
#: So many questions are on their way at once; a slow model then keeps one person waiting and not everybody.
AT_ONCE = 4
#: With less time than this left, nobody would see the answer.
_LEAST = 3.0


def work(stop: Callable[[], bool] = lambda: False) -> int:
    """Ask what waits to be asked, until nothing does or ``stop()`` says so; how many."""
    asked = 0
    while not stop():
        tasks = [task for _ in range(AT_ONCE) if (task := helping.claim())]
        if not tasks:
            break
        _ask_all(tasks)
        asked += len(tasks)
    return asked


def _ask_all(tasks: list[HelperTask]) -> None:
    ready = helper.from_settings()
    if ready is None or circuit.resting(helping.CIRCUIT):
        for task in tasks:
            helping.failed(task, "resting" if ready else "off", counts=False)
        return
    # The threads only wait for the network; everything that touches the database stays in this one.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[Future[Answer], tuple[HelperTask, Told]] = {}
        for task in tasks:
            seconds = min(SECONDS, helping.seconds_left(task))
            words = _told(task) if seconds >= _LEAST else None
            if words is None:
                helping.failed(task, "late" if seconds < _LEAST else "unsaid", counts=False)
            else:
                running[pool.submit(ready.ask, words.messages, seconds=seconds)] = (task, words)
        for done in as_completed(running):
            _store(ready, done, *running[done])


def _told(task: HelperTask) -> Told | None:
    """What is to be sent; None when it cannot be put together, so that the others of the batch are asked all the same."""
    try:
        return told(task)
    except Exception:
        log.exception("helper task %s cannot be put into words", task.pk)
        return None


def _store(ready: Helper, done: Future[Answer], task: HelperTask, words: Told) -> None:
    try:
        answer = done.result()
    except OutsideError as error:
        helping.failed(task, error.code, model=ready.model)
    except Exception:
        # Our own mistake: the person who waits must see an end all the same, and the others their answers.
        log.exception("helper task %s could not be asked", task.pk)
        helping.failed(task, "broken", model=ready.model)
    else:
        helping.answered(task, answer, words, model=ready.model)
