"""Finding a case by what was said in it, by its number, or by its order.

The form of the query is the one that shared measurements recommend for a million messages: the newest 1000 entries that
match, then rank. Sorting every match of a common word takes a second; asking for the newest 20 of a rare one makes
PostgreSQL walk the whole table backwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.core import signing
from django.db import connection

from makegood.base.errors import NotThere
from makegood.cases.access import RESTRICTED, case_for, cases_for, hidden_from, shops_served
from makegood.cases.models import Case
from makegood.cases.models.case import is_number
from makegood.cases.states import OPEN_STATUSES
from makegood.conversations.models import Message
from makegood.people import roles
from makegood.people.actors import Actor
from makegood.text import search
from makegood.text.fold import normalise

MOST = 1000
LONGEST = 200
_SALT = "makegood.search"
_READ = 20_000  # characters of one message that are looked through for the snippet
_AROUND = 70
_RUN = re.compile(r"[가-힣]+|[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]+|[a-z0-9]+")
_DIGITS = re.compile(r"#?\d{6,18}", re.ASCII)

_SQL = """
WITH found AS (
    SELECT e.case_id, e.message_id, e.id,
           ts_rank('{{0.1, 0.2, 0.4, 1.0}}', e.vector, query) AS rank
      FROM makegood_searchentry e {join}, CAST(%(query)s AS tsquery) AS query
     WHERE e.vector @@ query {where}
     ORDER BY e.id DESC LIMIT {most}
), placed AS (
    SELECT *, rank + 0.3 * (1 - (row_number() OVER (ORDER BY id DESC) - 1) / {most}.0) AS score FROM found
), grouped AS (
    SELECT case_id, max(score) AS score, (array_agg(message_id ORDER BY score DESC, id DESC))[1] AS message_id
      FROM placed GROUP BY case_id
)
SELECT case_id, message_id, count(*) OVER () AS cases, (SELECT count(*) FROM found) AS entries,
       (SELECT max(id) FROM found) AS newest
  FROM grouped ORDER BY score DESC, case_id DESC LIMIT %(limit)s OFFSET %(offset)s
"""

#: A text in pieces: (piece, whether it is what was asked for).
Marked = list[tuple[str, bool]]


@dataclass(frozen=True)
class Hit:
    """One case, and the place in it that was found."""

    case: Case
    subject: Marked
    snippet: Marked
    exact: bool = False


@dataclass(frozen=True)
class Found:
    """``cases`` are those among the newest 1000 matches; ``more_than_counted`` says that there may be others.

    ``mistyped`` is a number whose check digits are wrong; ``next`` goes on with the same snapshot, so that what is
    said meanwhile moves nothing.
    """

    text: str
    hits: list[Hit] = field(default_factory=list)
    cases: int = 0
    more_than_counted: bool = False
    mistyped: str = ""
    next: str = ""


def find(actor: Actor, text: str, *, limit: int = 20, after: str | None = None, only: str = "") -> Found:
    """Cases of this actor that say ``text``, best first; ``only`` is '', 'open' or 'ended'.

    ``after`` is ``Found.next`` of the page before (anything else begins anew). Raises NotAllowed for everybody but the desk.
    """
    roles.check(actor, "see_queue")
    # Half a surrogate pair or a NUL is nothing that PostgreSQL could be asked for.
    text = text[:LONGEST].encode("utf-8", "ignore").decode().replace("\x00", "").strip()
    newest, offset = _opened(after)
    query = search.query(text)
    exact = _by_number(actor, text) if text and not offset else []
    rows = _rows(actor, query, newest, offset, limit, only) if query else []
    cases = {
        case.pk: case
        for case in cases_for(actor)
        .filter(pk__in=[row[0] for row in rows])
        .select_related("shop", "customer", "owner")
    }
    bodies = dict(Message.objects.filter(pk__in=[row[1] for row in rows]).values_list("pk", "body"))
    words = _words(text)
    hits = [_hit(case, "", words, exact=True) for case in exact]
    known = {case.pk for case in exact}
    hits += [
        _hit(cases[row[0]], bodies.get(row[1] or 0, ""), words)
        for row in rows
        if row[0] in cases and row[0] not in known
    ]
    total, entries, top = rows[0][2:5] if rows else (len(exact), 0, 0)
    goes_on = offset + len(rows) < total
    return Found(
        text=text,
        hits=hits,
        cases=max(total, len(hits)),
        more_than_counted=entries >= MOST,
        mistyped=_mistyped(text, exact),
        next=signing.dumps([newest or top, offset + len(rows)], salt=_SALT) if goes_on else "",
    )


def _rows(
    actor: Actor, query: str, newest: int, offset: int, limit: int, only: str
) -> list[tuple[int, int | None, int, int, int]]:
    """(case, best message, cases in all, entries in all, newest entry), best first."""
    where, join = [], ""
    params: dict[str, Any] = {"query": query, "limit": limit, "offset": offset}
    shops = shops_served(actor)
    if shops is not None:
        # One's own open cases are seen wherever they came from, as cases.access says.
        own = cases_for(actor).filter(owner_id=actor.user_id, status__in=OPEN_STATUSES)
        params |= {"shops": shops, "own": list(own.values_list("pk", flat=True)[:MOST])}
        where.append("AND (e.shop_id = ANY(%(shops)s) OR e.case_id = ANY(%(own)s))")
    hidden = hidden_from(actor)
    if hidden is not None:
        # Not even counted: how many restricted cases hold a word would tell what is in them.
        allowed = Case.objects.filter(kind=RESTRICTED).exclude(hidden)
        params |= {"kind": RESTRICTED, "allowed": list(allowed.values_list("pk", flat=True)[:MOST])}
        where.append(
            "AND NOT EXISTS (SELECT 1 FROM makegood_case r WHERE r.id = e.case_id AND r.kind = %(kind)s"
            " AND r.id <> ALL(%(allowed)s))"
        )
    if newest:
        where.append("AND e.id <= %(newest)s")
        params["newest"] = newest
    if only in ("open", "ended"):
        join = "JOIN makegood_case c ON c.id = e.case_id"
        where.append("AND c.status " + ("<> 'ended'" if only == "open" else "= 'ended'"))
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(join=join, where=" ".join(where), most=MOST), params)
        return cursor.fetchall()


def _by_number(actor: Actor, text: str) -> list[Case]:
    """The case with this very number, and the cases of this very order: they stand first."""
    found: list[Case] = []
    if _DIGITS.fullmatch(text) and is_number(int(text.lstrip("#"))):
        try:
            found.append(case_for(actor, int(text.lstrip("#"))))
        except NotThere:
            pass
    if len(text) <= 60:
        orders = (
            cases_for(actor)
            .filter(order_number__in={text, text.upper(), text.lower()})
            .select_related("shop", "customer", "owner")
            .order_by("-id")[:5]
        )
        found += [case for case in orders if case.pk not in {c.pk for c in found}]
    return found


def _mistyped(text: str, exact: list[Case]) -> str:
    wrong = _DIGITS.fullmatch(text) and not is_number(int(text.lstrip("#")))
    return text.lstrip("#") if wrong and not exact else ""


def _opened(after: str | None) -> tuple[int, int]:
    """(newest entry of the snapshot, how many cases were shown); a forged cursor begins anew."""
    try:
        newest, offset = signing.loads(after or "", salt=_SALT)
    except (signing.BadSignature, ValueError):
        return 0, 0
    return newest, offset


def _words(text: str) -> re.Pattern[str] | None:
    """What to mark: the words of the question, longest first; a Latin word only where a word begins."""
    runs = sorted(set(_RUN.findall(normalise(text).text)), key=len, reverse=True)
    terms = [rf"(?<![a-z0-9]){re.escape(run)}" if run.isascii() else re.escape(run) for run in runs[:20]]
    return re.compile("|".join(terms)) if terms else None


def _hit(case: Case, body: str, words: re.Pattern[str] | None, *, exact: bool = False) -> Hit:
    return Hit(case, marked(case.subject, words), snippet(body, words), exact)


def marked(text: str, words: re.Pattern[str] | None) -> Marked:
    """``text`` in pieces, with the customer's own characters, whatever width, case or script was asked for."""
    if words is None:
        return [(text, False)]
    folded = normalise(text)
    pieces: Marked = []
    at = 0
    for match in words.finditer(folded.text):
        start, end = folded.span(*match.span())
        if end <= at:
            continue
        pieces += [(text[at:start], False), (text[max(start, at) : end], True)]
        at = end
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def snippet(body: str, words: re.Pattern[str] | None) -> Marked:
    """The stretch of a message around the first word that was found, in pieces; '…' where something was left out."""
    body = " ".join(body[:_READ].split())
    folded = normalise(body)
    first = words.search(folded.text) if words else None
    place = folded.span(*first.span())[0] if first else 0
    start, end = max(0, place - _AROUND), place + 2 * _AROUND
    pieces = marked(body[start:end], words)
    return [("… ", False)] * (start > 0) + pieces + [(" …", False)] * (end < len(body))
