"""Checking every pack of this site at once, also against the text pack, whose ids they refer to."""

from __future__ import annotations

from pathlib import Path

from makegood.packs.errors import PackError
from makegood.packs.legal import clocks
from makegood.packs.loader import (
    escalation,
    incident_rules,
    notices,
    outside,
    playbooks,
    policy,
    sources,
    strays,
    taxonomy,
)
from makegood.packs.reading import TEXT3, Entry, locate, overlay, read
from makegood.packs.remedying import FILES, OTHER_FILES, remedy_policy
from makegood.packs.replying import reply_rules, shipped_replies
from makegood.packs.watching import processes
from makegood.packs.working_days import calendars


def check_all() -> dict[str, int]:
    """Load and cross-check all packs; what there is -> how many. Raises PackError at the first thing wrong."""
    words, seen, rules, books = taxonomy(), sources(), policy(), playbooks()
    law = ["clocks/words.toml", *(f"clocks/{place}.toml" for place in clocks().jurisdictions)]
    law += [f"watch/{p.name}" for p in Path(overlay(), "watch").glob("*.toml")] if overlay() else []
    remedies = [*FILES, *OTHER_FILES]
    for stray in strays(overlay(), [*law, *remedies]):
        raise PackError(stray, "", "replaces no pack: no shipped file has this name")
    return {
        "kinds": len(words.kinds),
        "families": len(words.families),
        "types": len(words.types),
        "responsibilities": len(words.responsibilities),
        "impacts": len(words.impacts),
        "parties": len(words.parties),
        "remedies": len(words.remedies),
        "sources": len(seen.sources),
        "proofs": len(seen.proofs),
        "levels": len(rules.levels),
        "signals": len(rules.signals) + len(rules.silent_signals),
        "times to accept": len(escalation().accept),
        "rungs": sum(len(ladder) for ladder in escalation().rungs.values()),
        "rules of notices": len(notices().kinds),
        "rules of one fault": len(incident_rules().rules),
        "reminders to outside parties": 1 + len(outside().late_after),
        "looks after a security case": len(outside().checks),
        "outside routes": len(rules.outside_routes),
        "playbooks": len(books),
        "questions": sum(len(b.questions) for b in books.values()),
        "questions at report": sum(len(b.at_report) for b in books.values()),
        "facts": sum(len(b.facts) for b in books.values()),
        "causes": sum(len(b.causes) for b in books.values()),
        "aftercare": sum(len(b.aftercare) for b in books.values()),
        "checks of a reply": len(reply_rules()),
        "ready-made replies": len(shipped_replies()),
        "calendars": len(calendars()),
        "legal clocks": sum(r.kind == "deadline" for r in clocks().rules.values()),
        "legal notes": sum(r.kind == "note" for r in clocks().rules.values()),
        "processes watched": len(processes()),
        "steps watched": sum(len(p.steps) for p in processes().values()),
        "rows of the remedy policy": len(remedy_policy().rules),
        "floors of the law": len(remedy_policy().floors),
        "text packs compared": sum(_agrees(language) for language in TEXT3),
    }


def _agrees(language: str) -> bool:
    """Compare the text pack of one language with policy and taxonomy; False when that pack is not there (yet)."""
    path = locate(f"text/{language}.toml", overlay())
    if not path.is_file():
        return False
    root = read(path)
    signals = policy().signals.keys() | policy().silent_signals
    _same(root, "signal", signals, "policy.toml: a signal needs a level, or a place among the silent ones")
    checks = reply_rules()
    for key, prefix in (("rule", ""), ("slot", "missing.")):
        ids = {prefix + str(entry.raw.get("id")) for entry in root.entries(key, low=0, name="id")}
        _same_codes(root, ids, set(checks))
    _same(root, "type", set(taxonomy().types), "taxonomy.toml: a guessed type must exist")
    return True


def _same(root: Entry, key: str, known: set[str], where: str) -> None:
    given = [entry.raw.get("id") for entry in root.entries(key, low=0, name="id")]
    for code in given:
        if code not in known:
            raise root.wrong(f"the {key} '{code}' is not in {where}")


def _same_codes(root: Entry, ids: set[str], known: set[str]) -> None:
    """Every rule and slot of a text pack needs its explanation: a finding without one could not be shown."""
    if unexplained := ids - known:
        raise root.wrong(f"{sorted(unexplained)} are not explained in checks.toml")
