"""The desk: one function per verb, used by every door. Importing it fills the table of what follows what."""

from makegood.desk import follows as follows
