"""The suggested type of a case, and the model behind it: the packs' own, until people's corrections made a better one."""

from __future__ import annotations

import zlib
from functools import lru_cache

from makegood.cases.models import Correction, TriageModel
from makegood.conversations.models import Message
from makegood.text import triage
from makegood.text.triage import Example, Model, Suggestion

#: With fewer labels a held-out tenth says nothing.
LEAST, LEAST_HELD_OUT, MOST = 40, 4, 20_000
KEPT_MODELS = 3


def suggest(message: Message) -> Suggestion:
    """What kind of problem a message speaks of, by the newest stored model, else by the packs' own."""
    newest = TriageModel.objects.order_by("-id").values_list("pk", flat=True).first()
    return _model(newest).suggest(message.body, message.language)


def retrain() -> TriageModel | None:
    """Train on the packs' seeds and people's corrections; store the model unless it is worse than the present one.

    A tenth of the labels, chosen by their text, is held out from every model that is stored, so old and new are
    measured on words that neither has seen. Returns the stored model; None when it was worse, or there are too few
    labels to judge. Takes seconds: call it outside a transaction.
    """
    labels = _labels()
    held = [e for e in labels if _is_held_out(e.text)]
    learned = [e for e in labels if not _is_held_out(e.text)]
    if len(labels) < LEAST or len(held) < LEAST_HELD_OUT:
        return None
    new = Model.train([*triage.seeds(), *learned])
    present = _model(TriageModel.objects.order_by("-id").values_list("pk", flat=True).first())
    right = accuracy(new, held)
    if right < accuracy(present, held):
        return None
    made = TriageModel.objects.create(
        content=new.to_bytes(),
        examples=len(learned),
        held_out=len(held),
        accuracy=right,
        threshold=new.threshold,
    )
    kept = TriageModel.objects.order_by("-id").values_list("pk", flat=True)[:KEPT_MODELS]
    TriageModel.objects.exclude(pk__in=list(kept)).delete()
    return made


def accuracy(model: Model, held: list[Example]) -> float:
    """The share of the examples whose type the model names first; 0 to 1."""
    right = sum(model.suggest(e.text, e.language).top[0].type == e.type for e in held)
    return right / len(held)


def _labels() -> list[Example]:
    # A team may have added types of its own to the packs; the model knows those of the text pack only.
    rows = Correction.objects.filter(type__in=triage.types()).order_by("-at", "-id")[:MOST]
    return [Example(r.text, r.language, r.type) for r in rows]


def _is_held_out(text: str) -> bool:
    # By the words alone: copies of one complaint are always on the same side.
    return zlib.crc32(" ".join(text.split()).casefold().encode()) % 10 == 0


@lru_cache(maxsize=2)
def _model(pk: int | None) -> Model:
    # Kept for the process by its row: a new row is a new key, so nobody has to be told.
    if pk is None:
        return triage.default_model()
    return Model.from_bytes(bytes(TriageModel.objects.values_list("content", flat=True).get(pk=pk)))
