"""The desk: one function per verb, used by every door. Importing it knows every verb and fills the table of what follows what."""

from makegood.desk import (
    closing,
    delivering,
    fixing,
    following_up,
    follows,
    handling,
    joining,
    opening,
    promising,
    sharing,
    snoozing,
    sweeping,
    talking,
    telling,
    triaging,
)

__all__ = [
    "closing",
    "delivering",
    "fixing",
    "following_up",
    "follows",
    "handling",
    "joining",
    "opening",
    "promising",
    "sharing",
    "snoozing",
    "sweeping",
    "talking",
    "telling",
    "triaging",
]
