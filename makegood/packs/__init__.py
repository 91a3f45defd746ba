"""Data that a team can edit, in three languages: taxonomy, playbooks, policy, sources (and, in text/, the text packs).

    from makegood.packs import playbook, policy, taxonomy
    taxonomy().type("refund.delay").name.into("zh-hans")
    playbook("refund.delay").at_report
    policy().level(4).first_word

``python -m makegood.packs`` checks every pack and prints what there is.
"""

from makegood.packs.check import check_all
from makegood.packs.errors import PackError, UnknownCode
from makegood.packs.loader import (
    escalation,
    incident_rules,
    names,
    notices,
    outside,
    playbook,
    playbooks,
    policy,
    sources,
    taxonomy,
)
from makegood.packs.replying import reply_rules, shipped_replies

__all__ = [
    "PackError",
    "UnknownCode",
    "check_all",
    "escalation",
    "incident_rules",
    "names",
    "notices",
    "outside",
    "playbook",
    "playbooks",
    "policy",
    "reply_rules",
    "shipped_replies",
    "sources",
    "taxonomy",
]
