"""What a finding says: a code and data, made into one plain sentence for its reader. The only part of the watch that speaks.

``explain`` gives code and data (to be stored); ``sentence`` makes the words in the language that is active.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from makegood.base.languages import Text3
from makegood.base.moments import said
from makegood.packs.watch_shapes import Process
from makegood.packs.watching import names_of
from makegood.watch.findings import PAST, RECOVERED
from makegood.watch.plan import DUPLICATE, HOUR, KINDS, MISMATCH, OVERTAKEN, RECURRENCE, SYSTEMIC, Plan
from makegood.watch.state import BY_ODDS, BY_PEERS, BY_PROMISE, BY_SHARE

#: code -> sentence. Every value is data: times are ISO texts, durations seconds, ``step`` the code of a step or rule.
SENTENCES = {
    "stuck.hours": _("%(step)s has taken %(age)s; %(of)s of 1,000 like it take less than %(limit)s."),
    "stuck.share": _(
        "%(step)s has taken %(age)s and is due by %(promise)s; %(of)s of 1,000 like it were done by this age."
    ),
    "stuck.promise": _("%(step)s was promised for %(promise)s and has not happened; it began %(age)s ago."),
    "stuck.odds": _("%(step)s will hardly be in time: it began %(since)s and is due by %(promise)s."),
    "stuck.peers": _("%(step)s has taken %(age)s; the few known so far took about %(typical)s."),
    "stuck.slow": _("%(step)s has taken %(age)s; all of this lane is slow just now."),
    "overtaken": _("%(step)s: waiting since %(since)s; a later request was finished at %(other)s."),
    "duplicate": _("%(step)s: the same thing was recorded at %(since)s and again %(gap)s later."),
    "mismatch": _("%(step)s: recorded at %(since)s, and what belongs to it is still missing after %(age)s."),
    "systemic": _(
        "%(step)s has all but stopped since %(since)s: %(observed)s finished, %(expected)s expected; %(count)s wait. One incident."
    ),
    "recurrence": _("%(step)s: %(count)s times in %(window)s; %(usual)s is usual."),
    "recovered": _("%(step)s: what was noticed is over since %(other)s. Please look whether all is well."),
    "past": _("%(step)s took %(age)s, longer than it may, and is done."),
}
TWICE = _("%(step)s: the same thing was recorded twice at %(since)s.")
ORDER = _("In this lane nobody was overtaken among the last %(count)s.")


def explain(plan: Plan, finding: Any) -> tuple[str, dict[str, Any]]:
    """(code, data) of a finding; data holds numbers, codes and ISO times only."""
    since, at = int(finding["since"]), int(finding["at"])
    data: dict[str, Any] = {
        "step": plan.rules[int(finding["rule"])].partition("#")[0],
        "since": _iso(since), "at": _iso(at), "age": max(at - since, 0) / 1e6,
        "promise": _iso(int(finding["promise"])), "limit": int(finding["limit"]) / 1e6,
        "typical": int(finding["typical"]) / 1e6, "of": _of_thousand(float(finding["rare"])),
        "count": int(finding["count"]), "overtakes": int(finding["overtakes"]),
        "other": _iso(int(finding["other_at"])),
        "expected": round(float(finding["expected"]), 2), "observed": int(finding["observed"]),
        "confidence": confidence(float(finding["confidence"])), "amount": float(finding["amount"]),
    }  # fmt: skip
    if _code(finding) == "stuck.hours":
        # The threshold, not the age: so many are below it. Where shops and lanes have their own, what was seen at this age.
        alpha = float(plan.alpha[int(finding["rule"])])
        data["of"] = _of_thousand(
            alpha if len(plan.tiers) == 1 else max(float(finding["rare"]), alpha * float(plan.tiers.min()))
        )
    if finding["kind"] == RECURRENCE:
        data["window"], data["count"] = (int(finding["due"]) - since) / 1e6, int(finding["observed"])
    if finding["state"] == RECOVERED:
        data["other"] = _iso(int(finding["due"]))
    return _code(finding), data


def _code(finding: Any) -> str:
    if finding["state"] == RECOVERED:
        return "recovered"
    if finding["state"] == PAST:
        return "past"
    if finding["kind"] in (OVERTAKEN, DUPLICATE, MISMATCH, SYSTEMIC, RECURRENCE):
        return KINDS[int(finding["kind"])]
    if finding["incident"]:
        return "stuck.slow"
    by = {
        BY_SHARE: "stuck.share",
        BY_PROMISE: "stuck.promise",
        BY_ODDS: "stuck.odds",
        BY_PEERS: "stuck.peers",
    }
    return by.get(int(finding["reason"]), "stuck.hours")


def sentence(code: str, data: Mapping[str, Any], names: Mapping[str, Text3]) -> str:
    """The sentence for whoever reads now; a code that nobody knows any more is shown as it is.

    ``names``: what steps and rules are called (``all_names``); a step that is gone is shown by its code.
    """
    told = SENTENCES.get(code)
    if told is None:
        return code
    step = names.get(data["step"])
    since, other = (datetime.fromisoformat(data[key]) if data[key] else None for key in ("since", "other"))
    gap = (other - since).total_seconds() if since and other else 0
    values = {
        **data,
        "step": str(step) if step else data["step"],
        "gap": duration(abs(gap)),
        **{key: duration(data[key]) for key in ("age", "limit", "typical", "window") if key in data},
        **{key: said(datetime.fromisoformat(data[key])) for key in ("since", "promise", "other") if data[key]},
        "usual": data["expected"], "expected": data["expected"] if code == "recurrence" else round(data["expected"]),
    }  # fmt: skip
    if code == "duplicate" and abs(gap) < 1:  # '0 seconds later' is nothing that anybody says
        told = TWICE
    out = str(told) % values
    if code == "overtaken" and data["count"] >= 20 and data["overtakes"] <= 1:
        out += " " + str(ORDER) % {"count": data["count"]}
    return out


def all_names(processes: Mapping[str, Process]) -> dict[str, Text3]:
    """Code -> name over every process."""
    return {code: name for process in processes.values() for code, name in names_of(process).items()}


def confidence(value: float) -> str:
    """'sure', 'likely' or 'guess'; below a half a finding is ranked and raises no alarm (watch.md 1.6)."""
    return "sure" if value >= 0.95 else "likely" if value >= 0.5 else "guess"


def duration(seconds: float) -> str:
    """'40 seconds', '12 minutes', '5 hours', '3 days': in the largest unit of which there are two or more."""
    for size, words in (
        (86_400, lambda n: ngettext("%(n)s day", "%(n)s days", n)),
        (3_600, lambda n: ngettext("%(n)s hour", "%(n)s hours", n)),
        (60, lambda n: ngettext("%(n)s minute", "%(n)s minutes", n)),
    ):
        if seconds >= 2 * size:
            n = int(seconds // size)
            return str(words(n)) % {"n": n}
    n = int(seconds)
    return ngettext("%(n)s second", "%(n)s seconds", n) % {"n": n}


def _of_thousand(rare: float) -> str:
    """How many of 1,000 are done by this age, never said to be all of them."""
    return f"{min(1000 * (1 - rare), 999.9):.1f}".removesuffix(".0")


def _iso(micros: int) -> str:
    """An ISO time; '' for none."""
    if not 0 < micros < 200 * 366 * 24 * HOUR:
        return ""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()
