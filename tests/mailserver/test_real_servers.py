"""Letters by real servers: postfix takes them, dovecot keeps them, we fetch them. Nothing lost, nothing doubled."""

from __future__ import annotations

import pytest

from tests.mail.post import letter

pytestmark = [pytest.mark.mailserver, pytest.mark.django_db(transaction=True)]


def test_a_letter_by_smtp_reaches_the_mailbox(mail_servers):
    raw = letter()
    mail_servers.deliver(raw, "help@haneul.example")
    (came,) = mail_servers.arrived("help@haneul.example")
    assert "Message-ID" in came.decode() and mail_servers.flags("help@haneul.example") == [()]
