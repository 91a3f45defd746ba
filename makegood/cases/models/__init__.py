"""The case and the rows around it: one file per idea."""

from makegood.cases.models.case import Case, CaseLink, Presence, Relation
from makegood.cases.models.ending import (
    Closure,
    Confirmation,
    ConfirmationAsk,
    Ending,
    Fix,
    Telling,
    Verification,
)
from makegood.cases.models.event import CaseEvent
from makegood.cases.models.freeze import Freeze
from makegood.cases.models.notice import Notice
from makegood.cases.models.triage import Correction, Fact, Reference, Tick, TriageModel
from makegood.cases.models.urgency import UrgencyEvidence, UrgencyLowering
from makegood.cases.models.vault import MaskedValue, Reveal

__all__ = [
    "Case",
    "CaseEvent",
    "CaseLink",
    "Closure",
    "Confirmation",
    "ConfirmationAsk",
    "Correction",
    "Ending",
    "Fact",
    "Fix",
    "Freeze",
    "MaskedValue",
    "Notice",
    "Presence",
    "Reference",
    "Relation",
    "Reveal",
    "Telling",
    "Tick",
    "TriageModel",
    "UrgencyEvidence",
    "UrgencyLowering",
    "Verification",
]
