"""The nightly audit of law 3: the events are replayed, and a case that is less urgent than they say was lowered in silence.

The database refuses a silent drop; the audit is for the hand that goes past it (a restored table, a trigger switched off).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

#: What the last event that speaks of urgency says, against what the case says. One pass, in the order of an index.
_REPLAY = """
WITH told AS (
  SELECT DISTINCT ON (case_id) case_id, coalesce(data->>'to_level', data->>'level')::int AS level
    FROM makegood_caseevent
   WHERE kind IN ('opened', 'urgency_raised', 'urgency_lowered')
   ORDER BY case_id, seq DESC
), evidence AS (
  SELECT e.case_id, max(e.level) AS level
    FROM makegood_urgencyevidence e
    LEFT JOIN (SELECT case_id, max(seq) AS seq FROM makegood_urgencylowering GROUP BY case_id) low USING (case_id)
   WHERE e.seq > coalesce(low.seq, 0) GROUP BY e.case_id
), lowered AS (
  SELECT e.case_id, count(*) AS n FROM makegood_caseevent e
   WHERE e.kind = 'urgency_lowered' AND NOT EXISTS (
     SELECT 1 FROM makegood_urgencylowering l WHERE l.case_id = e.case_id AND l.seq = e.seq)
   GROUP BY e.case_id
)
SELECT c.id, c.number, c.urgency, greatest(told.level, coalesce(evidence.level, 0)), coalesce(lowered.n, 0)
  FROM makegood_case c
  LEFT JOIN told ON told.case_id = c.id LEFT JOIN evidence ON evidence.case_id = c.id
  LEFT JOIN lowered ON lowered.case_id = c.id
 WHERE told.level IS NULL OR c.urgency < greatest(told.level, coalesce(evidence.level, 0)) OR lowered.n > 0
 ORDER BY c.id
"""


@dataclass(frozen=True)
class Drop:
    """A case that is less urgent (``found``) than its history says (``told``), or whose lowering has lost its words."""

    case_id: int
    number: int
    found: int
    told: int | None
    lowerings_without_words: int


def silent_drops() -> Iterator[Drop]:
    """Every case whose urgency fell without the event and the row that law 3 demands; nothing when all is well."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_REPLAY)
        while rows := cursor.fetchmany(1000):
            for row in rows:
                yield Drop(*row)
