"""War rooms, and incidents: one fault over many cases."""

from makegood.incidents.models.incidents import ActStep, Incident, IncidentAct, IncidentCase
from makegood.incidents.models.rooms import (
    CardField,
    Decision,
    Room,
    RoomMember,
    RoomMessage,
    Task,
    Thanks,
)
from makegood.incidents.models.suggested import SuggestedCase, Suggestion

__all__ = [
    "ActStep",
    "CardField",
    "Decision",
    "Incident",
    "IncidentAct",
    "IncidentCase",
    "Room",
    "RoomMember",
    "RoomMessage",
    "SuggestedCase",
    "Suggestion",
    "Task",
    "Thanks",
]
