"""A letter that came back names the one that was sent, the address, and whether another try could help."""

from __future__ import annotations

import pytest

from makegood.text.letters import Bounce, read
from tests.text.letters.post import several

HEAD = """From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: help@haneul.example
Subject: Undelivered Mail Returned to Sender
Date: Fri, 20 Nov 2026 10:00:00 +0900
Message-ID: <report@mx.example>
Return-Path: <>
MIME-Version: 1.0
"""
SENT = b"From: help@haneul.example\nTo: Jiwoo <jiwoo@mail.example>\nSubject: Refund\nMessage-ID: <case-42@haneul.example>\n\nRefunded."


def report(
    action: str,
    status: str,
    code: str,
    *,
    words: bytes = b"Your message could not be delivered.",
    recipient: str = "jiwoo@mail.example",
) -> Bounce:
    fields = f"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {recipient}\nOriginal-Recipient: rfc822;jiwoo@mail.example\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {code}"
    raw = several(
        ("Content-Type: text/plain", words), ("Content-Type: message/delivery-status", fields.encode()), ("Content-Type: message/rfc822", SENT),
        kind="multipart/report; report-type=delivery-status", head=HEAD,
    )  # fmt: skip
    seen = read(raw)
    assert seen.automatic == "bounce"
    assert seen.bounce is not None
    return seen.bounce


def test_an_unknown_user():
    assert report("failed", "5.1.1", "550 5.1.1 user unknown") == Bounce(
        for_good=True,
        recipients=("jiwoo@mail.example",),
        status="5.1.1",
        diagnostic="550 5.1.1 user unknown",
        original_message_id="<case-42@haneul.example>",
        original_to=("jiwoo@mail.example",),
    )


@pytest.mark.parametrize(
    ("action", "status", "code", "good"),
    [
        ("failed", "5.1.1", "550 no such user", True), ("failed", "5.7.1", "550 5.7.1 rejected", True), ("failed", "5.0.0", "550 5.1.1 unknown", True), ("delayed", "4.4.1", "connection timed out", False),
        ("failed", "4.4.7", "delivery time expired", False), ("failed", "5.2.2", "552 5.2.2 mailbox full", False), ("failed", "4.2.2", "452 over quota", False),
        ("failed", "5.0.0", "554 mailbox is full", False), ("failed", "5.3.4", "552 message too big", False), ("failed", "5.0.0", "메일함 용량이 초과되었습니다", False),
    ],
)  # fmt: skip
def test_whether_another_try_could_help(action: str, status: str, code: str, good: bool):
    assert report(action, status, code).for_good is good


def test_the_answer_of_the_far_server_says_more_than_a_bare_5_0_0():
    assert report("failed", "5.0.0", "550 5.1.1 unknown").status == "5.1.1"


def test_an_alias_inside_the_far_system_is_not_the_address_we_wrote_to():
    assert report("failed", "5.1.1", "unknown", recipient="jiwoo@server").recipients == (
        "jiwoo@mail.example",
    )


def test_what_was_delivered_is_no_failure():
    fields = (
        b"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; ok@mail.example\nAction: delivered\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; a@mail.example\nAction: failed\nStatus: 5.1.1\n\n"
        b"Final-Recipient: rfc822; b@mail.example\nAction: failed\nStatus: 5.1.1"
    )
    seen = read(
        several(
            ("Content-Type: text/plain", b"failed"),
            ("Content-Type: message/delivery-status", fields),
            kind="multipart/report; report-type=delivery-status",
            head=HEAD,
        )
    )
    assert seen.bounce is not None
    assert seen.bounce.recipients == ("a@mail.example", "b@mail.example")


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("failure notice", "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n<jiwoo@mail.example>:\n"
         "Sorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"),
        ("Mail delivery failed: returning message to sender", "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\n"
         "recipients. This is a permanent error. The following address(es) failed:\n\n  jiwoo@mail.example\n    550 5.1.1 unknown user\n\n------ This is a copy of the message, including all the headers. ------\n\n"),
        ("系统退信", "抱歉，您的邮件被退回来了……\n原邮件信息：\n收件人 jiwoo@mail.example\n退信原因：收件人邮箱地址 jiwoo@mail.example 不存在。 550 5.1.1 User unknown\n\n----- Original message -----\n\n"),
        ("메일 전송 실패", "다음 수신자에게 메일을 전달하지 못했습니다.\n\njiwoo@mail.example\n\n550 5.1.1 존재하지 않는 사용자입니다.\n\n----- Original message -----\n\n"),
    ],
    ids=["qmail", "exim", "qq", "korean"],
)  # fmt: skip
def test_reports_in_plain_words(subject: str, body: str):
    raw = (
        HEAD.replace("Undelivered Mail Returned to Sender", subject).encode()
        + b"Content-Type: text/plain; charset=utf-8\n\n"
        + body.encode()
        + SENT
    )
    seen = read(raw)
    assert seen.automatic == "bounce"
    assert seen.bounce is not None
    assert (seen.bounce.recipients, seen.bounce.for_good, seen.bounce.status) == (
        ("jiwoo@mail.example",),
        True,
        "5.1.1",
    )
    assert seen.bounce.original_message_id == "<case-42@haneul.example>"
    assert seen.bounce.original_to == ("jiwoo@mail.example",)


def test_a_report_in_no_known_form_still_gives_the_letter_that_came_back():
    seen = read(HEAD.encode() + b"\nIt did not work.\n\n" + SENT)
    assert seen.automatic == "bounce"
    assert seen.bounce is not None
    assert seen.bounce.original_message_id == "<case-42@haneul.example>"


def test_a_persons_letter_has_no_bounce():
    assert (
        read(
            b"From: jiwoo@mail.example\nSubject: Delivery failed\n\n550 5.1.1 is what the parcel screen says. Write to jiwoo@mail.example."
        ).bounce
        is None
    )
