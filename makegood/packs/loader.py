"""The packs of this site, checked: taxonomy, sources, policy and playbooks. Everything is read once per folder.

A site may put an edited copy of any file in the folder MAKEGOOD_PACKS; it replaces the shipped file of that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from makegood.packs.errors import PackError, UnknownCode
from makegood.packs.escalations import Escalation, build_escalation
from makegood.packs.incident_rules import IncidentRules, build_incidents
from makegood.packs.noticing import Noticing, build_notices
from makegood.packs.outside import Outside, build_outside
from makegood.packs.policies import build_policy
from makegood.packs.reading import SHIPPED, Entry, locate, overlay, read, refuse_twice
from makegood.packs.shapes import (
    INPUTS,
    Cause,
    Fact,
    Item,
    Kind,
    Playbook,
    Policy,
    Proof,
    Question,
    Sources,
    Taxonomy,
    Term,
    Type,
)
from makegood.packs.working_days import CODES as CALENDARS

if TYPE_CHECKING:
    from makegood.base.languages import Text3

T = TypeVar("T", bound=Term)


def taxonomy() -> Taxonomy:
    """Kinds, families, problem types and the other vocabularies; raises PackError when a pack is wrong."""
    return _taxonomy(overlay())


def sources() -> Sources:
    """Where facts come from and what counts as proof; raises PackError when a pack is wrong."""
    return _sources(overlay())


def policy() -> Policy:
    """Levels, times, thresholds, closing rules; raises PackError when a pack is wrong."""
    return _policy(overlay())


def escalation() -> Escalation:
    """Times to accept a case, how often it is passed on, how far a lead's arm reaches; raises PackError when a pack is wrong."""
    return _escalation(overlay())


def notices() -> Noticing:
    """Which notices are urgent, how many messages leave, when one is tried again; raises PackError when a pack is wrong."""
    return _notices(overlay())


def incident_rules() -> IncidentRules:
    """Which cases look like one fault, and how long a lead's 'no' holds; raises PackError when a pack is wrong."""
    return _incident_rules(overlay())


def outside() -> Outside:
    """When outside parties are asked again, how soon use is stopped, when security is looked at again; raises PackError."""
    return _outside(overlay())


def playbook(type_code: str) -> Playbook:
    """The playbook of a problem type; raises UnknownCode for a type that there is not, PackError for a wrong pack."""
    taxonomy().type(type_code)
    return playbooks()[type_code]


def playbooks() -> Mapping[str, Playbook]:
    """Every playbook by its type code, in the order of the types: exactly one for each type."""
    return _playbooks(overlay())


def names(what: str) -> dict[str, Text3]:
    """Code -> name of one vocabulary: kind, family, type, responsibility, impact, party, remedy, source or proof."""
    return _names(what, overlay())


@lru_cache(maxsize=64)
def _names(what: str, folder: str) -> dict[str, Text3]:
    every, seen = _taxonomy(folder), _sources(folder)
    tables: dict[str, Mapping[str, Term]] = {
        "kind": every.kinds,
        "family": every.families,
        "type": every.types,
        "responsibility": every.responsibilities,
        "impact": every.impacts,
        "party": every.parties,
        "remedy": every.remedies,
        "source": seen.sources,
        "proof": seen.proofs,
    }
    if what not in tables:
        raise UnknownCode("vocabulary", what)
    return {code: term.name for code, term in tables[what].items()}


@lru_cache(maxsize=8)
def _taxonomy(folder: str) -> Taxonomy:
    root = _vocabulary_file("taxonomy.toml", folder)
    root.only("kind", "family", "type", "responsibility", "impact", "party", "remedy")
    families, kinds = _terms(root, "family"), _by_code([_kind(e) for e in _coded(root, "kind")])
    responsibilities = _terms(root, "responsibility")
    return Taxonomy(
        kinds=kinds,
        families=families,
        types=_by_code([_type(e, families, kinds, responsibilities) for e in _coded(root, "type")]),
        responsibilities=responsibilities,
        impacts=_terms(root, "impact"),
        parties=_terms(root, "party"),
        remedies=_terms(root, "remedy"),
    )


@lru_cache(maxsize=8)
def _sources(folder: str) -> Sources:
    root = _vocabulary_file("sources.toml", folder)
    root.only("source", "proof")
    return Sources(_terms(root, "source"), _by_code([_proof(e) for e in _coded(root, "proof")]))


@lru_cache(maxsize=8)
def _policy(folder: str) -> Policy:
    every = _taxonomy(folder)
    return build_policy(read(locate("policy.toml", folder)), every.impacts, every.types)


@lru_cache(maxsize=8)
def _escalation(folder: str) -> Escalation:
    return build_escalation(read(locate("escalation.toml", folder)), _taxonomy(folder).types)


@lru_cache(maxsize=8)
def _notices(folder: str) -> Noticing:
    return build_notices(read(locate("notices.toml", folder)))


@lru_cache(maxsize=8)
def _incident_rules(folder: str) -> IncidentRules:
    return build_incidents(read(locate("incidents.toml", folder)))


@lru_cache(maxsize=8)
def _outside(folder: str) -> Outside:
    return build_outside(read(locate("outside.toml", folder)))


@lru_cache(maxsize=8)
def _playbooks(folder: str) -> Mapping[str, Playbook]:
    words, seen = _taxonomy(folder), _sources(folder)
    found: dict[str, Playbook] = {}
    for family in words.families:
        root = read(locate(f"playbooks/{family}.toml", folder))
        root.only("playbook")
        entries = root.entries("playbook", low=0, name="type")
        refuse_twice(entries, "type")
        for entry in entries:
            book = _playbook(entry, words, seen)
            if words.types[book.type].family != family:
                raise entry.wrong(f"'{book.type}' belongs in playbooks/{words.types[book.type].family}.toml")
            found[book.type] = book
        for type_ in words.types_of(family):
            if type_.code not in found:
                raise root.wrong(f"the type '{type_.code}' has no playbook")
    return MappingProxyType({code: found[code] for code in words.types})


def _vocabulary_file(name: str, folder: str) -> Entry:
    """Read a file of vocabularies; an edited copy may add codes, but lose none of the shipped ones.

    Cases store these codes and the code names some of them: a lost one would be a page that cannot be drawn.
    """
    root = read(locate(name, folder))
    if root.file.parent != SHIPPED:
        for key, rows in read(SHIPPED / name).raw.items():
            given = [e.raw.get("code") for e in root.entries(key)]
            for row in rows:
                if row["code"] not in given:
                    raise PackError(root.file, key, f"the code '{row['code']}' is missing; cases may hold it")
    return root


def _coded(root: Entry, key: str) -> list[Entry]:
    entries = root.entries(key)
    refuse_twice(entries)
    return entries


def _by_code(terms: list[T]) -> Mapping[str, T]:
    return MappingProxyType({term.code: term for term in terms})


def _terms(root: Entry, key: str) -> Mapping[str, Term]:
    entries = _coded(root, key)
    for entry in entries:
        entry.only("code", "ko", "zh", "en")
    return _by_code([Term(e.code(), e.own_text()) for e in entries])


def _proof(entry: Entry) -> Proof:
    entry.only("code", "ko", "zh", "en", "says")
    return Proof(entry.code(), entry.own_text(), entry.text("says"))


def _kind(entry: Entry) -> Kind:
    entry.only("code", "ko", "zh", "en", "says", "response", "aftercare")
    response, aftercare = entry.entries("response"), entry.entries("aftercare")
    refuse_twice([*response, *aftercare])
    return Kind(
        code=entry.code(),
        name=entry.own_text(),
        says=entry.text("says"),
        response=tuple(_item(e) for e in response),
        aftercare=tuple(_item(e) for e in aftercare),
    )


def _type(
    entry: Entry, families: Mapping[str, Term], kinds: Mapping[str, Kind], whose: Mapping[str, Term]
) -> Type:
    entry.only("code", "family", "kind", "responsibility", "urgency", "ko", "zh", "en", "says")
    return Type(
        code=entry.code(),
        name=entry.own_text(),
        says=entry.text("says"),
        family=entry.one_of("family", families, "family"),
        kind=entry.one_of("kind", kinds, "kind"),
        responsibility=entry.one_of("responsibility", whose, "responsibility"),
        urgency=entry.level("urgency"),
    )


def _playbook(entry: Entry, words: Taxonomy, seen: Sources) -> Playbook:
    entry.only("type", "involve", "offers", "questions", "facts", "causes", "aftercare")
    type_code = entry.one_of("type", words.types, "problem type")
    questions, facts = entry.entries("questions", 2, 5), entry.entries("facts", 3, 5)
    causes, aftercare = entry.entries("causes", 3, 5), entry.entries("aftercare", 1, 3)
    # Ticks are stored by code alone, so a code may not stand for two items of one playbook.
    refuse_twice([*questions, *facts, *causes, *aftercare])
    book = Playbook(
        type=type_code,
        involve=entry.many_of("involve", words.parties, "party"),
        offers=entry.many_of("offers", words.remedies, "remedy"),
        questions=tuple(_question(e) for e in questions),
        facts=tuple(_fact(e, seen) for e in facts),
        causes=tuple(_cause(e, words) for e in causes),
        aftercare=tuple(_item(e) for e in aftercare),
    )
    if not 1 <= len(book.at_report) <= 3:
        raise entry.wrong(f"1 to 3 questions must have at_report = true, not {len(book.at_report)}")
    return book


def _item(entry: Entry) -> Item:
    entry.only("code", "ko", "zh", "en")
    return Item(entry.code(), entry.own_text())


def _fact(entry: Entry, seen: Sources) -> Fact:
    entry.only("code", "source", "ko", "zh", "en")
    return Fact(entry.code(), entry.own_text(), entry.one_of("source", seen.sources, "source"))


def _cause(entry: Entry, words: Taxonomy) -> Cause:
    entry.only("code", "responsibility", "ko", "zh", "en")
    whose = entry.one_of("responsibility", words.responsibilities, "responsibility")
    return Cause(entry.code(), entry.own_text(), whose)


def _question(entry: Entry) -> Question:
    entry.only("code", "at_report", "input", "choices", "ko", "zh", "en")
    kind = entry.one_of("input", INPUTS, "input kind")
    if kind != "choice" and "choices" in entry.raw:
        raise entry.wrong("has choices, but its input is not 'choice'")
    choices = entry.entries("choices", 2) if kind == "choice" else []
    refuse_twice(choices)
    return Question(
        code=entry.code(),
        text=entry.own_text(),
        input=kind,
        at_report=entry.flag("at_report"),
        choices=tuple(_item(e) for e in choices),
    )


def strays(folder: str, also: Iterable[str] = ()) -> list[Path]:
    """The .toml files of an overlay folder that replace nothing (a mistyped name), without those below text/. ``also``: other known names."""
    known = {"taxonomy.toml", "sources.toml", "policy.toml", "checks.toml", "replies.toml", "escalation.toml"}
    known |= {"notices.toml", "incidents.toml", "outside.toml"}
    known |= {f"calendars/{code}.toml" for code in CALENDARS} | set(also)
    known |= {f"playbooks/{family}.toml" for family in _taxonomy(folder).families}
    below = (
        {p: p.relative_to(folder).as_posix() for p in sorted(Path(folder).rglob("*.toml"))} if folder else {}
    )
    return [p for p, name in below.items() if name not in known and not name.startswith("text/")]
