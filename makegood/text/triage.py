"""Which type of problem a message speaks of: softmax regression over hashed character pieces, in numpy.

There is one model. Its first training set is the text packs (their words and examples); each label that the team
gives outweighs them until 400 labels exist, so the packs fade by themselves. It is always trained from scratch: single
corrections pushed into the weights fixed themselves and spoilt the rest.

It abstains: below its threshold a suggestion is "not sure: one of these three", and a person decides.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from makegood.base.languages import EN, KO, ZH
from makegood.text.features import BUCKETS, SEEN_BITS, pieces, weigh
from makegood.text.fitting import Sample, best_temperature, fit, threshold_for
from makegood.text.fold import normalise
from makegood.text.lexicon import folded, pack

UNTAUGHT_THRESHOLD = 0.9
"""Below 100 labels nobody knows what a probability is worth: practically always show three."""

_LANGUAGES = (KO, ZH, EN)
_TEAM_OUTWEIGHS_UNTIL = 400
_LEAST_TO_JUDGE = 100
_PRECISION = 0.9
_REASONS = 5
_LATIN = re.compile("[a-z0-9à-ɏ]")


@dataclass(frozen=True)
class Example:
    """A text whose type is known. ``seed`` marks what comes from the packs and not from the team."""

    text: str
    language: str
    type: str
    weight: float = 1.0
    seed: bool = False


@dataclass(frozen=True)
class Guess:
    """A type code and its probability (0 to 1)."""

    type: str
    probability: float


@dataclass(frozen=True)
class Quote:
    """Words of the message, at their offsets in the original."""

    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Suggestion:
    """What the model thinks, and how far it may be trusted.

    ``confidence`` is the first probability times the square of the share of pieces that training had seen; ``sure``
    when it reaches the threshold. ``top`` holds three, best first. ``reasons`` are the words that speak most for the
    first against the second, in the order of the message.
    """

    sure: bool
    confidence: float
    top: tuple[Guess, ...]
    reasons: tuple[Quote, ...]


def types() -> list[str]:
    """The 28 type codes of the packs, in their order."""
    return [entry.id for entry in pack(EN).types]


def seeds() -> list[Example]:
    """The training set that the packs give: their examples, and their words as texts of their own."""
    out: list[Example] = []
    for language in _LANGUAGES:
        for entry in pack(language).types:
            texts = [(text, 2.0) for text in entry.raw.get("hit", ())]
            texts += [(term, 1.0) for term in entry.raw.get("strong", ())]
            texts += [(term, 0.3) for term in entry.raw.get("weak", ())]
            out += [
                Example(t.replace("..", " ").replace("*", ""), language, entry.id, w, True) for t, w in texts
            ]
    return out


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model; immutable. ``labels`` counts the team's examples in it."""

    codes: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    seen: NDArray[np.bool_]
    temperature: float
    threshold: float
    labels: int

    @classmethod
    def train(cls, examples: Sequence[Example], *, seed: int = 0) -> Model:
        """A model of ``examples`` (give ``[*seeds(), *labels]``); the same for the same examples and seed.

        From 100 labels of the team on, the temperature and the threshold that gives 90% precision are fitted on labels
        that a first fit had not seen; before, there is nothing to measure them by. Raises ValueError on no examples
        or an unknown type.
        """
        index = {code: number for number, code in enumerate(types())}
        unknown = sorted({example.type for example in examples} - index.keys())
        if unknown or not examples:
            raise ValueError(f"unknown types: {unknown}" if unknown else "nothing to learn from")
        labels = sum(not example.seed for example in examples)
        more = max(1.0, _TEAM_OUTWEIGHS_UNTIL / labels) if labels else 1.0
        seen = np.zeros(SEEN_BITS, bool)
        samples: list[Sample] = []
        shares: list[NDArray[np.uint64]] = []
        for example in examples:
            hashes = pieces(normalise(example.text).text).hashes
            weight = example.weight * (1.0 if example.seed else more)
            samples.append(Sample(*weigh(hashes), index[example.type], weight))
            shares.append(hashes & np.uint64(SEEN_BITS - 1))
        temperature, threshold = 1.0, UNTAUGHT_THRESHOLD
        if labels >= _LEAST_TO_JUDGE:
            held = _held_out(examples, labels, seed)
            for number in np.flatnonzero(~held):
                seen[shares[number]] = True
            judge = fit([samples[n] for n in np.flatnonzero(~held)], len(index), seed)
            rows = np.flatnonzero(held)
            logits = np.zeros((len(rows), len(index)), np.float32)
            for row, number in enumerate(rows):
                logits[row] = judge.logits(samples[number])
            right = np.array([samples[n].type for n in rows], np.int64)
            temperature = best_temperature(logits, right)
            share = np.array([seen[shares[n]].mean() if len(shares[n]) else 0.0 for n in rows])
            scaled = (logits / temperature).astype(np.float32)
            threshold = threshold_for(scaled, share, right, _PRECISION, UNTAUGHT_THRESHOLD)
        for pieces_of_one in shares:
            seen[pieces_of_one] = True
        made = fit(samples, len(index), seed)
        # Rounded as it is stored, so that a model read back says exactly what the trained one said.
        stored = made.weights.astype(np.float16).astype(np.float32)
        return cls(tuple(types()), stored, made.bias, seen, temperature, threshold, labels)

    def to_bytes(self) -> bytes:
        """The model for storing, about 1 MB; holds arrays only, never code."""
        rows = np.flatnonzero(self.weights.any(axis=1))
        out = BytesIO()
        np.savez_compressed(
            out,
            codes=np.array(self.codes),
            rows=rows.astype(np.uint32),
            weights=self.weights[rows].astype(np.float16),
            bias=self.bias,
            seen=np.packbits(self.seen),
            numbers=np.array([self.temperature, self.threshold, self.labels], np.float64),
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Model:
        """The model that ``to_bytes`` gave. Raises ValueError for anything else."""
        try:
            with np.load(BytesIO(stored), allow_pickle=False) as read:
                codes = tuple(str(code) for code in read["codes"])
                weights = np.zeros((BUCKETS, len(codes)), np.float32)
                weights[read["rows"]] = read["weights"]
                seen = np.unpackbits(read["seen"])[:SEEN_BITS].astype(bool)
                temperature, threshold, labels = (float(number) for number in read["numbers"])
                return cls(codes, weights, read["bias"], seen, temperature, threshold, int(labels))
        except Exception as error:  # numpy and zipfile raise a dozen kinds for a broken file
            raise ValueError("these bytes are no triage model") from error

    def suggest(self, text: str, language: str) -> Suggestion:
        """The three likeliest types of ``text``; ``language`` is that of the message.

        The scripts keep the three languages apart by themselves, so today it changes nothing.
        """
        form = folded(text)
        found = pieces(form.text)
        buckets, values = weigh(found.hashes)
        logits = (values @ self.weights[buckets] + self.bias) / self.temperature
        odds = np.exp(logits - logits.max())
        odds /= odds.sum()
        first, second, third = (int(n) for n in np.argsort(-odds, kind="stable")[:3])
        share = float(self.seen[found.hashes & np.uint64(SEEN_BITS - 1)].mean()) if len(found.hashes) else 0.0
        confidence = float(odds[first]) * share * share
        rows = (found.hashes & np.uint64(BUCKETS - 1)).astype(np.int64)
        difference = self.weights[rows, first] - self.weights[rows, second]
        spans = strongest(form.text, difference, found.starts, found.ends)
        originals = [form.span(start, end) for start, end in spans]
        return Suggestion(
            sure=confidence >= self.threshold,
            confidence=confidence,
            top=tuple(Guess(self.codes[n], float(odds[n])) for n in (first, second, third)),
            reasons=tuple(Quote(start, end, text[start:end]) for start, end in originals),
        )


@cache
def default_model() -> Model:
    """The model of the packs alone, trained on first use and kept for the process."""
    return Model.train(seeds())


def _held_out(examples: Sequence[Example], labels: int, seed: int) -> NDArray[np.bool_]:
    """Which labels the first fit must not see: a tenth, of few labels more, so that about a hundred judge.

    Chosen by the text, so that copies of one complaint are never on both sides.
    """
    share = max(0.1, min(0.5, 100 / labels))
    texts = (normalise(example.text).text.encode("utf-8", "surrogatepass") for example in examples)
    places = np.array([zlib.crc32(text, seed) / 2**32 for text in texts])
    return (places < share) & np.array([not example.seed for example in examples])


def strongest(
    text: str, scores: NDArray[np.float32], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """The places of the five pieces that say most, overlapping ones joined, in the order of the text.

    What a piece says is what all pieces say about its characters. Single characters, pairs of words and broken
    Latin words are left out: they weigh in the sum, but nobody can read them.
    """
    # Each piece shares out what it says over its characters: a step up where it begins, a step down where it ends.
    last = int(ends.max(initial=0)) + 1
    each = scores / np.maximum(ends - starts, 1)
    steps = np.bincount(starts, each, last) - np.bincount(ends, each, last)
    said = steps.cumsum()
    total = np.concatenate(([0.0], said.cumsum()))
    sums = total[ends] - total[starts]
    joined: list[tuple[int, int]] = []
    for row in np.argsort(-sums, kind="stable"):
        start, end = int(starts[row]), int(ends[row])
        if sums[row] <= 0:
            break
        if end - start < 2 or not _readable(text, start, end):
            continue
        touching = [span for span in joined if span[0] < end and start < span[1]]
        if not touching and len(joined) == _REASONS:
            break
        joined = [span for span in joined if span not in touching]
        joined.append((min([start, *(s for s, _ in touching)]), max([end, *(e for _, e in touching)])))
    return sorted(joined)


def _readable(text: str, start: int, end: int) -> bool:
    """Whether a piece is no pair of words (those chain into whole sentences) and no part of a Latin word."""
    if " " in text[start:end]:
        return False
    before = start > 0 and _LATIN.match(text, start - 1) and _LATIN.match(text, start)
    after = end < len(text) and _LATIN.match(text, end - 1) and _LATIN.match(text, end)
    return not (before or after)
