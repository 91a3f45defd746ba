"""Letters of outside parties: an answer to what was asked (known by what only we could have signed), or one that came back."""

from __future__ import annotations

from makegood.cases.models import CaseEvent
from makegood.conversations import threads
from makegood.conversations.models import Mailbox
from makegood.desk import party_answers, party_sendings
from makegood.desk.letter_words import Words
from makegood.parties.models import PartyAsk, PartySending
from makegood.people import actors
from makegood.people.actors import Actor
from makegood.text.letters import Letter

_IDS = 30


def ask_of(letter: Letter, mailbox: Mailbox, envelope_to: str) -> PartyAsk | None:
    """The task that this letter answers; None when it carries no sign of ours, or of a task of another shop."""
    every = [envelope_to, *letter.delivered_to, *(a.email for a in (*letter.to, *letter.cc))][:_IDS]
    every += [*letter.in_reply_to, *reversed(letter.references)][:_IDS]
    for text in every:
        for pk in threads.asks_in(text):
            found = PartyAsk.objects.select_related("party", "case").filter(pk=pk, case__shop=mailbox.shop_id)
            if ask := found.first():
                return ask
    return None


def answered(ask: PartyAsk, words: Words) -> CaseEvent:
    """Their letter, as it reads, for a person: nobody guesses from words whether it is done."""
    return party_answers.answer_party(
        ask,
        by=actors.party(ask.party_id, "mail"),
        answer="wrote",
        words=words.text,
        files=words.files,
        channel="letter",
    )


def came_back(letter: Letter, *, by: Actor, why: str) -> CaseEvent | None:
    """The event when a letter to a party came back for good; None when the report is about none."""
    original = letter.bounce.original_message_id if letter.bounce and letter.bounce.for_good else ""
    for text in (
        (original, *letter.in_reply_to[:_IDS], *letter.references[:_IDS])
        if letter.bounce and letter.bounce.for_good
        else ()
    ):
        for pk in threads.sendings_in(text):
            row = PartySending.objects.select_related("ask__case", "ask__party").filter(pk=pk).first()
            if row is not None:
                told = CaseEvent.objects.filter(
                    case=row.ask.case_id, kind="party_unreached", data__ask=row.ask_id
                )
                known = told.first() if row.state == PartySending.State.FAILED else None
                return known or party_sendings.unreached(row, by=by, error=why)
    return None
