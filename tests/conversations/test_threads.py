"""A letter finds its case by what only we could have written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makegood.conversations import threads
from makegood.conversations.models import Mailbox
from makegood.desk.joining import merge
from tests import cast as stages

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(cast):
    return Mailbox.objects.create(
        shop=cast.haneul, address="Help@haneul.example", name="하늘상점", first=True
    )


def mangled(text: str) -> list[str]:
    """The same, as mail programs and servers between us and the customer write it."""
    return [
        text,
        text.lower(),
        text.upper(),
        text.strip("<>"),
        f"  {text}\r\n",
        text[:20] + "\r\n " + text[20:],
        text.replace("+", "%2B"),
        f"mailto:{text}?subject=x",
        f"SRS0=HHHH=TT=haneul.example={text.split('@')[0]}@forwarder.example",
        f"prvs=0123456789={text}",
        f'"Haneul" <{text}>',
    ]


def test_our_own_letter_is_known_by_its_message_id_however_it_was_rewritten(cast, mailbox):
    letter = stages.reported(cast).deliveries.get()
    for text in mangled(threads.message_id_for(letter)):
        assert threads.delivery_of(text) == letter, text


def test_a_reply_address_leads_to_the_case_however_it_was_rewritten(cast, mailbox):
    case = stages.reported(cast)
    address = threads.reply_address(mailbox, case)
    assert address.startswith(f"Help+{case.number}.") and address.endswith("@haneul.example")
    for text in mangled(address):
        assert threads.case_of_address(text) == case, text


def test_a_return_path_names_the_letter_and_is_no_reply_address(cast, mailbox):
    letter = stages.reported(cast).deliveries.get()
    path = threads.return_path(mailbox, letter)
    for text in mangled(path):
        assert threads.delivery_of_return_path(text) == letter, text
    assert threads.case_of_address(path) is None and threads.delivery_of(path) is None


def test_a_stranger_who_knows_the_number_gets_nowhere(cast, mailbox):
    case = stages.reported(cast)
    letter = case.deliveries.get()
    other = stages.reported(cast, customer=cast.alex)
    real = threads.reply_address(mailbox, case)
    signature = real.partition(".")[2].partition("@")[0]
    for text in (
        f"help+{case.number}@haneul.example",
        f"help+{case.number}.{'a' * 16}@haneul.example",
        f"help+{other.number}.{signature}@haneul.example",
        f"help+{case.number}.{signature[:-1]}@haneul.example",
        f"help+{case.number}.{signature}a@haneul.example",
        f"<letter-{letter.pk}@haneul.example>",
        f"<letter-{letter.pk}.{signature}@haneul.example>",
        f"<case-{case.number}@haneul.example>",
        f"<case-{case.number}.{signature}@haneul.example>",
        "",
        "help@haneul.example",
        "help+" + "9" * 400 + "." + signature + "@x",
    ):
        assert threads.delivery_of(text) is None, text
        assert threads.case_of_address(text) is None, text
        assert threads.case_of_message_id(text) is None, text


def test_all_letters_of_a_case_are_found_by_its_thread_too(cast, mailbox):
    case = stages.reported(cast)
    assert threads.case_of_message_id(threads.thread_id_for(case, "haneul.example")) == case
    assert threads.case_of_message_id(threads.message_id_for(case.deliveries.get())) == case


def test_an_answer_to_a_merged_case_goes_to_the_survivor(cast, mailbox):
    old, new = stages.reported(cast), stages.owned(cast)
    letter = old.deliveries.get()
    merge(old, new, by=cast.by(cast.minji), seen=None)
    found = threads.delivery_of(threads.message_id_for(letter))
    assert found == letter and threads.case_of(found) == new
    assert threads.case_of_address(threads.reply_address(mailbox, old)) == new


def test_what_was_signed_before_the_secret_changed_still_counts(cast, mailbox, settings):
    case = stages.reported(cast)
    before = threads.reply_address(mailbox, case)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert threads.case_of_address(before) == case
    settings.SECRET_KEY_FALLBACKS = []
    assert threads.case_of_address(before) is None


def test_a_long_mailbox_keeps_its_plain_address_and_a_foreign_domain_is_written_in_ascii(cast, mailbox):
    case = stages.reported(cast)
    mailbox.address = f"{'a' * 60}@haneul.example"
    assert threads.reply_address(mailbox, case) == mailbox.address
    assert threads.domain_of("help@하늘.example") == "xn--wh1bz27d.example"
    assert threads.domain_of("no address") == "localhost"


@given(st.text(max_size=300))
def test_no_text_whatever_breaks_the_reading(text):
    assert threads.delivery_of(text) is None
    assert threads.case_of_address(text) is None
