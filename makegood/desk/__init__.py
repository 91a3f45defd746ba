"""The desk: one function per verb, used by every door. Importing it knows every verb and fills the table of what follows what."""

from makegood.desk import (
    clocks,
    closing,
    delivering,
    fixing,
    follows,
    handling,
    joining,
    opening,
    sharing,
    talking,
    telling,
    triaging,
)

__all__ = [
    "clocks",
    "closing",
    "delivering",
    "fixing",
    "follows",
    "handling",
    "joining",
    "opening",
    "sharing",
    "talking",
    "telling",
    "triaging",
]
