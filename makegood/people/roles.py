"""One table: who may do which verb. The page, the API and the tests all read it; nobody else decides."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotAllowed
from makegood.people.actors import CUSTOMER, PARTY, SYSTEM, Actor
from makegood.people.models import Role

_DESK = frozenset({Role.AGENT, Role.LEAD, Role.SPECIALIST, Role.MANAGER, Role.ADMIN})
_LEADS = frozenset({Role.LEAD, Role.MANAGER, Role.ADMIN})
_ADMINS = frozenset({Role.MANAGER, Role.ADMIN})
_TRUSTED = _LEADS | {Role.SPECIALIST}
_PARTY = frozenset({PARTY})
_CUSTOMER, _MERCHANT, _SYSTEM = frozenset({CUSTOMER}), frozenset({Role.MERCHANT}), frozenset({SYSTEM})

MAY: dict[str, frozenset[str]] = {
    # reading
    "see": _DESK | _MERCHANT | _CUSTOMER | _SYSTEM,
    "see_queue": _DESK,
    "see_travel": _LEADS,
    "see_outbox": _LEADS,
    "see_as_merchant": _MERCHANT,
    # opening and talking
    "open": _DESK | _MERCHANT | _CUSTOMER | _SYSTEM,
    "reply": _DESK,
    "note": _DESK,
    "write": _CUSTOMER | _SYSTEM,
    "say": _MERCHANT,
    "answer_merchant": _DESK,
    "ask_helper": _DESK,
    # triage and facts
    "triage": _DESK | _SYSTEM,
    "note_fact": _DESK | _SYSTEM,
    "strike_fact": _DESK,
    "tick": _DESK,
    # handling
    "take": _DESK,
    "assign": _DESK | _SYSTEM,
    "acknowledge": _DESK,
    "climb": _SYSTEM,
    "expedite": _DESK,
    "hand_over": _DESK,
    "answer_handover": _DESK,
    "pass_on": _SYSTEM,
    "hand_back": _SYSTEM,
    "wait": _DESK | _SYSTEM,
    "snooze": _DESK | _SYSTEM,
    "raise_urgency": _DESK | _SYSTEM,
    "raise_by_evidence": _SYSTEM,
    "lower_urgency": _LEADS,
    # promises
    "promise": _DESK,
    "keep_promise": _DESK,
    "withdraw_promise": _LEADS,
    "record_call": _DESK,
    "sweep": _SYSTEM,
    # the war room
    "open_room": _LEADS | _SYSTEM,
    "withhold_room": _SYSTEM,
    "be_in_room": _DESK,
    "work_in_room": _DESK,
    "give_room_role": _DESK,
    "close_room": _DESK,
    # one fault over many cases
    "open_incident": _LEADS | _SYSTEM,
    "join_incident": _DESK | _SYSTEM,
    "leave_incident": _LEADS,
    "lead_incident": _LEADS,
    "verify_incident": _DESK,
    # fixing, telling, closing
    "fix": _DESK | _SYSTEM,
    "verify": _DESK,
    "tell": _DESK,
    "ask": _DESK | _SYSTEM,
    "confirm": _CUSTOMER,
    "record_confirmation": _DESK,
    "close": _DESK | _SYSTEM,
    "reopen": _DESK | _CUSTOMER | _SYSTEM,
    "answer_follow_up": _CUSTOMER,
    "end_unconfirmed": _DESK | _SYSTEM,
    "end_disagreed": _LEADS,
    "withdraw": _CUSTOMER | _DESK,
    # remedies
    "offer_remedy": _DESK,
    "decide_remedy": _DESK,
    "withdraw_remedy": _DESK,
    "choose_remedy": _CUSTOMER,
    "counter_propose": _CUSTOMER,
    "approve_remedy": _LEADS,
    "carry_out": _DESK | _SYSTEM,
    "settle_step": _SYSTEM,
    "settle_by_hand": _LEADS,
    "verify_by_record": _SYSTEM,
    "compare_remedies": _LEADS,
    "keep_budgets": _ADMINS,
    # outside parties
    "see_owed": _DESK,
    "keep_parties": _LEADS,
    "ask_party": _DESK,
    "answer_party": _PARTY | _SYSTEM,
    "chase_party": _DESK | _SYSTEM,
    "withdraw_party_ask": _DESK | _SYSTEM,
    # cases of security, and what was masked
    "freeze": _DESK,
    "frozen": _DESK,
    "settle_freeze": _SYSTEM,
    "release": _TRUSTED,
    "confirm_leak": _DESK,
    "check_security": _DESK,
    "reveal": _TRUSTED,
    "erase_masked": _LEADS,
    # legal clocks
    "start_clock": _DESK | _SYSTEM,
    "correct_clock": _DESK,
    "meet_clock": _DESK,
    # joining
    "merge": _DESK,
    "split": _DESK,
    "link": _DESK,
    "unlink": _DESK,
    # the customer's link
    "share_link": _DESK | _SYSTEM,
    "revoke_link": _DESK,
    "deliver": _SYSTEM,
    # letters that came in
    "note_letter": _SYSTEM,
    "see_letters": _DESK,
    "keep_mailboxes": _ADMINS,
    # what the shops' systems tell
    "keep_stores": _ADMINS | _SYSTEM,
    "read_store": _DESK,
    "send_again": _DESK,
    "decline_asks": _CUSTOMER,
    # the watch over transactions
    "see_watch": _DESK,
    "notice": _SYSTEM,
    "dismiss_finding": _DESK,
    "keep_watch": _LEADS,
    # who is on duty
    "see_duty": _DESK,
    "keep_shifts": _LEADS,
    "be_away": _DESK,
    # the house
    "keep_people": _ADMINS,
    "keep_calendars": _ADMINS,
    "keep_webhooks": _ADMINS,
    "keep_clocks": _ADMINS,
    "keep_replies": _LEADS,
    "switch_checks": _LEADS,
}


def may(actor: Actor, verb: str) -> bool:
    """Whether this actor may do this verb at all; rules about one case stand in the verb."""
    return actor.role in MAY[verb]


def check(actor: Actor, verb: str) -> None:
    """Raise NotAllowed unless :func:`may`."""
    if not may(actor, verb):
        raise NotAllowed("not_allowed", _("Your role does not allow this."))
