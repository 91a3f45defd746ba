"""Fitting softmax regression to sparse samples: AdaGrad in mini-batches, temperature, threshold. Pure numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from makegood.text.features import BUCKETS

_RATE, _BATCH, _DECAY, _TINY = 0.5, 16, 1e-6, 1e-6
_LEAST_ANSWERED = 20


@dataclass(frozen=True)
class Sample:
    """A text as distinct buckets and their values, its type as a number, and how much it counts."""

    buckets: NDArray[np.int64]
    values: NDArray[np.float32]
    type: int
    weight: float


@dataclass(frozen=True)
class Fitted:
    """Weights (buckets by types) and bias (types)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, sample: Sample) -> NDArray[np.float32]:
        return sample.values @ self.weights[sample.buckets] + self.bias


def fit(samples: Sequence[Sample], types: int, seed: int) -> Fitted:
    """The regression of ``samples`` over ``types`` classes; the same for the same input and ``seed``."""
    random = np.random.default_rng(seed)
    weights = np.zeros((BUCKETS, types), np.float32)
    slope = np.zeros((BUCKETS, types), np.float32)
    bias, bias_slope = np.zeros(types, np.float32), np.zeros(types, np.float32)
    # Few texts need more passes, many texts fewer: about the same work.
    for _ in range(int(np.clip(24_000 // max(1, len(samples)), 5, 15))):
        order = random.permutation(len(samples))
        for at in range(0, len(order), _BATCH):
            batch = [samples[n] for n in order[at : at + _BATCH]]
            used, columns = np.unique(np.concatenate([s.buckets for s in batch]), return_inverse=True)
            dense = np.zeros((len(batch), len(used)), np.float32)
            rows = np.repeat(np.arange(len(batch)), [len(s.buckets) for s in batch])
            dense[rows, columns] = np.concatenate([s.values for s in batch])
            now = weights[used]
            error = softmax(dense @ now + bias)
            error[np.arange(len(batch)), [s.type for s in batch]] -= 1.0
            error *= np.array([s.weight for s in batch], np.float32)[:, None] / len(batch)
            gradient = dense.T @ error + _DECAY * now
            slope[used] += gradient * gradient
            weights[used] = now - _RATE * gradient / np.sqrt(slope[used] + _TINY)
            gradient = error.sum(axis=0)
            bias_slope += gradient * gradient
            bias -= (_RATE / 10) * gradient / np.sqrt(bias_slope + _TINY)
    return Fitted(weights, bias)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities by row."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True), np.float32)


def best_temperature(logits: NDArray[np.float32], right: NDArray[np.int64]) -> float:
    """What to divide logits by, so that the probabilities of the ``right`` types are most likely; 1.0 without any."""
    if not len(right):
        return 1.0
    choices = np.geomspace(0.3, 10.0, 60)

    def loss(temperature: float) -> float:
        odds = softmax(logits / np.float32(temperature))[np.arange(len(right)), right]
        return float(-np.log(np.maximum(odds, 1e-9)).mean())

    return float(min(choices, key=loss))


def threshold_for(
    logits: NDArray[np.float32],
    share: NDArray[np.float64],
    right: NDArray[np.int64],
    precision: float,
    otherwise: float,
) -> float:
    """The lowest confidence from which on answers are right as often as ``precision``.

    ``share`` is that of seen pieces, by row. Fewer than 20 answers prove nothing: then ``otherwise``. When all are
    answered well enough, what is less certain than any of them is unknown land, but ``otherwise`` stays enough.
    """
    if not len(right):
        return otherwise
    odds = softmax(logits)
    confidence = odds.max(axis=1) * share**2
    order = np.argsort(-confidence, kind="stable")
    hits = (odds.argmax(axis=1) == right)[order].cumsum() / np.arange(1, len(right) + 1)
    good = np.flatnonzero(hits >= precision)
    if not len(good) or good[-1] + 1 < _LEAST_ANSWERED:
        return otherwise
    lowest = float(confidence[order[good[-1]]])
    return min(lowest, otherwise) if good[-1] + 1 == len(right) else lowest
