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
from makegood.cases.models.notice import Notice
from makegood.cases.models.triage import Correction, Fact, Reference, Tick, TriageModel
from makegood.cases.models.urgency import UrgencyEvidence, UrgencyLowering

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
    "Notice",
    "Presence",
    "Reference",
    "Relation",
    "Telling",
    "Tick",
    "TriageModel",
    "UrgencyEvidence",
    "UrgencyLowering",
    "Verification",
]
