"""What urgency the words, the impact and the type of a problem demand: policy of the packs turned into evidence."""

from __future__ import annotations

from makegood.cases.urgency import Evidence, Impact
from makegood.packs import policy, taxonomy
from makegood.text import signals


def of_words(text: str, language: str) -> list[Evidence]:
    """Evidence from the customer's own words, each with its quotation; the strongest quotation of a signal only."""
    best: dict[str, Evidence] = {}
    for signal in signals.find(text, language):
        level = policy().signal_level(signal.id)
        if level and signal.id not in best:
            best[signal.id] = Evidence(level, f"signal:{signal.id}", signal.quote, signal.start, signal.end)
    return list(best.values())


def of_impact(impact: Impact) -> list[Evidence]:
    """Evidence from what is at stake."""
    found = []
    if impact.money_lost:
        level = policy().impact_level("money_lost", impact.money_lost, impact.currency)
        found.append(Evidence(level, "impact:money_lost"))
    if impact.orders_blocked:
        found.append(Evidence(policy().impact_level("orders_blocked"), "impact:orders_blocked"))
    if impact.campaign_at_risk:
        found.append(Evidence(policy().impact_level("campaign_at_risk"), "impact:campaign_at_risk"))
    return found


def of_type(code: str) -> list[Evidence]:
    """Evidence from the type of problem alone; an unknown type demands the highest (law 3: never a default low)."""
    found = taxonomy().types.get(code)
    return [Evidence(found.urgency if found else 5, f"type:{code}")]


def at_opening(text: str, language: str, impact: Impact, type_code: str) -> list[Evidence]:
    """All that is known when a case is opened. What nobody has looked at yet is at least 'normal'."""
    found = of_words(text, language) + of_impact(impact) + (of_type(type_code) if type_code else [])
    return [*found, Evidence(2, "opening")]


def of_contact(times: int) -> list[Evidence]:
    """A second contact about the same thing is a signal; a third moves it up by itself (mission D4)."""
    return [Evidence(3 if times == 2 else 4, f"contact:{times}")] if times >= 2 else []
