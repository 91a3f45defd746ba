"""A machine's letter never opens a case and is never answered; a person's always is, whatever it looks like."""

from __future__ import annotations

import pytest

from makegood.text.letters import read
from tests.text.letters.post import HEAD, letter, several


def judged(more: str = "", head: str = HEAD, body: str = "hello\n") -> tuple[str, str]:
    seen = read(letter(body, more=more, head=head))
    return seen.automatic, seen.automatic_because


def titled(subject: str, more: str = "") -> str:
    return judged(more, HEAD.replace("Re: refund", subject))[0]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Auto-Submitted: auto-replied", "auto_reply"), ("Auto-Submitted: auto-generated", "auto_generated"), ("Auto-Submitted: auto-notified; owner-email=a", "auto_reply"),
        ("Auto-Submitted: no", ""), ("X-Autoreply: yes", "auto_reply"), ("X-Autorespond: x", "auto_reply"), ("Precedence: auto_reply", "auto_reply"),
        ("Precedence: bulk", "bulk"), ("Precedence: junk", "bulk"), ("Precedence: list", "list"), ("Precedence: normal", ""), ("List-Id: <news.shop.example>", "list"),
        ("List-Unsubscribe: <mailto:u@shop.example>", "bulk"), ("Feedback-ID: 1:2:3", ""), ("X-Auto-Response-Suppress: OOF, AutoReply", "auto_generated"),
        ("X-Auto-Response-Suppress: All", "auto_generated"), ("X-Auto-Response-Suppress: DR, RN", ""), ("Return-Path: <>", "auto_generated"), ("Return-Path: <jiwoo@mail.example>", ""),
        ("X-Makegood-Loop: 1", "own_loop"), ("X-Mailer: Foxmail", ""), ("Importance: high", ""),
    ],
)  # fmt: skip
def test_what_a_machine_declares(line: str, kind: str):
    said, because = judged(line + "\n")
    assert said == kind
    assert bool(because) == bool(kind)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: your order", "Out of Office: refund", "Out of Office AutoReply: refund", "Auto: refund", "자동 회신: 환불 안내", "[자동응답] 휴가 중입니다", "부재중 자동 응답: 환불",
        "自动回复: 退款", "自动回复：退款", "自動回覆：退款", "自動返信: 返金", "Abwesenheitsnotiz: Erstattung", "Réponse automatique : remboursement", "Automatische Antwort: Erstattung",
    ],
)  # fmt: skip
def test_away_for_the_week(subject: str):
    assert titled(subject) == "auto_reply"


@pytest.mark.parametrize(
    "subject",
    [
        "The automatic reply never stops", "자동 회신이 계속 와요", "自动回复太多了", "Re: Automatic reply: refund", "Automatic payment charged twice", "Auto parts arrived broken",
        "Delivery failed: nobody was at the door", "Delivery problem with my order", "Undeliverable parcel", "배송 실패했다고 나와요", "退信说明书", "반송된 택배", "Returned to sender?",
        "Bounced check", "ooops wrong order", "Vacation rental refund", "Failure notice on the product display", "Message from my mother",
    ],
)  # fmt: skip
def test_a_customer_may_write_such_words(subject: str):
    assert titled(subject) == ""


def test_a_person_with_a_name_like_a_machine():
    for sender in (
        "Bounce House Rentals <hello@bouncehouse.example>",
        "Master Post <master@post.example>",
        "no-reply@marketplace.example",
    ):
        assert judged(head=HEAD.replace("Jiwoo <jiwoo@mail.example>", sender))[0] == ""


def test_somebody_passing_on_a_report_is_a_person():
    body = "I got this:\n\n> Delivery to the following recipient failed permanently:\n> help@haneul.example\n> 550 5.1.1 user unknown\n"
    assert (
        judged(head=HEAD.replace("Re: refund", "Fwd: Undelivered Mail Returned to Sender"), body=body)[0]
        == ""
    )
    enclosed = several(
        ("Content-Type: text/plain", b"look"),
        (
            "Content-Type: message/rfc822",
            b"From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail\n\nfailed",
        ),
    )
    assert read(enclosed).automatic == ""


def test_a_list_names_itself_so_that_a_shop_may_know_its_own_group():
    assert judged("List-Id: Help <help.haneul.example>\n") == ("list", "List-Id: Help <help.haneul.example>")


def test_a_report_of_abuse_and_a_receipt_are_machines_but_no_bounce():
    for report, kind in (
        ("feedback-report", "message/feedback-report"),
        ("disposition-notification", "message/disposition-notification"),
    ):
        raw = several(
            ("Content-Type: text/plain", b"read"),
            (f"Content-Type: {kind}", b"Version: 1"),
            kind=f"multipart/report; report-type={report}",
        )
        seen = read(raw)
        assert (seen.automatic, seen.bounce) == ("auto_generated", None)
