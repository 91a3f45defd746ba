"""Parts, addresses, ids and dates: whatever Jiwoo's program made of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from makegood.text.letters import Address, Unreadable, read
from tests.text.letters.post import HEAD, letter, several

PNG = base64.encodebytes(b"\x89PNG\r\n\x1a\nrest")


def test_everything_of_an_ordinary_letter():
    raw = (
        'From: =?utf-8?B?7KeA7Jqw?= <Jiwoo@Mail.Example>\nReply-To: other@mail.example\nTo: "Haneul, help" <help@haneul.example>, b@c.example (Bee)\n'
        "Cc: undisclosed-recipients:;\nSubject: =?utf-8?B?7ZmY67aI?=\nDate: Fri, 20 Nov 2026 10:00:00 +0900\nMessage-ID: <1@mail.example>\n"
        "In-Reply-To: <0@haneul.example>\nReferences: <a@haneul.example>\n <0@haneul.example>\nDelivered-To: help+c42@haneul.example\nX-Original-To: help@haneul.example\n"
        "Content-Language: ko-KR\n\nhello\n"
    )
    seen = read(raw.encode())
    assert seen.sender == Address("지우", "Jiwoo@mail.example")
    assert seen.reply_to == (Address("", "other@mail.example"),)
    assert seen.to == (Address("Haneul, help", "help@haneul.example"), Address("Bee", "b@c.example"))
    assert [address.email for address in seen.cc] == [""]
    assert (seen.subject, seen.text, seen.said) == ("환불", "hello", "hello")
    assert seen.date == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
    assert (seen.message_id, seen.in_reply_to, seen.references) == (
        "<1@mail.example>",
        ("<0@haneul.example>",),
        ("<a@haneul.example>", "<0@haneul.example>"),
    )
    assert seen.delivered_to == ("help+c42@haneul.example", "help@haneul.example")
    assert (seen.language_hint, seen.automatic, seen.trouble) == ("ko-KR", "", ())


@pytest.mark.parametrize(
    ("line", "name", "email"),
    [
        ("jiwoo@mail.example", "", "jiwoo@mail.example"),
        ("지우<jiwoo@mail.example>", "지우", "jiwoo@mail.example"),
        ('"지우" <jiwoo@mail.example>', "지우", "jiwoo@mail.example"),
        ("jiwoo@mail.example (지우)", "지우", "jiwoo@mail.example"),
        ('"=?utf-8?B?7KeA7Jqw?=" <jiwoo@mail.example>', "지우", "jiwoo@mail.example"),
        ("Kim, Jiwoo <jiwoo@mail.example>", "Jiwoo", "jiwoo@mail.example"),
        ('"a@b.example" <jiwoo@mail.example>', "a@b.example", "jiwoo@mail.example"),
        ("<jiwoo@mail.example>", "", "jiwoo@mail.example"),
        ("<mailto:jiwoo@mail.example>", "", "jiwoo@mail.example"),
        ("Jiwoo", "Jiwoo", ""),
        ("jiwoo@@mail.example", "jiwoo@@mail.example", ""),
        ("a@b@c.example", "a@b@c.example", ""),
        ('"unclosed <jiwoo@mail.example>', "unclosed", "jiwoo@mail.example"),
    ],
)
def test_senders_as_they_are_written(line: str, name: str, email: str):
    assert read(f"From: {line}\nSubject: x\n\nhello".encode()).sender == Address(name, email)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("<a@b.example>", "<a@b.example>"), ("a@b.example", "<a@b.example>"), ("<a@b.example> (added by x)", "<a@b.example>"), ("", ""), ("<>", ""), ("nonsense", ""),
        ("<no-at-sign>", ""), ("<한글@b.example>", ""), ("<" + "a" * 2000 + "@b.example>", ""),
    ],
)  # fmt: skip
def test_message_ids_that_are_none_are_empty(line: str, kept: str):
    assert read(f"From: a@b.example\nMessage-ID: {line}\n\nhello".encode()).message_id == kept


def test_of_a_hundred_thousand_references_the_first_and_the_newest_are_kept():
    ids = " ".join(f"<{number}@x.example>" for number in range(100_000))
    seen = read(f"From: a@b.example\nReferences: {ids}\n\nhello".encode())
    assert len(seen.references) == 100
    assert (seen.references[0], seen.references[-1]) == ("<0@x.example>", "<99999@x.example>")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "yesterday",
        "Fri, 20 Nov 20266 10:00:00 +0900",
        "Fri, 99 Nov 2026 10:00:00",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "1 Jan 2026 25:00:00 +9999",
    ],
)
def test_a_date_that_is_none(line: str):
    seen = read(f"From: a@b.example\nDate: {line}\n\nhello".encode())
    assert seen.date is None
    assert "date" in seen.trouble


def test_pictures_and_files_in_a_letter():
    seen = read(several(
        ("Content-Type: text/plain; charset=utf-8", "깨졌어요.".encode()),
        ('Content-Type: image/png; name="a.png"\nContent-ID: <pic@x>\nContent-Transfer-Encoding: base64', PNG),
        ('Content-Type: application/pdf; name="b.pdf"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64', PNG),
        ('Content-Type: text/plain; name="note.txt"\nContent-Disposition: attachment', b"note"),
        ("Content-Type: text/plain; charset=utf-8", "두 번째입니다.".encode()),
    ))  # fmt: skip
    assert seen.text == "깨졌어요.\n두 번째입니다."
    assert [(part.name, part.content_id, part.inline) for part in seen.parts] == [
        ("a.png", "pic@x", True),
        ("b.pdf", "", False),
        ("note.txt", "", False),
    ]
    assert seen.parts[0].content == b"\x89PNG\r\n\x1a\nrest"


def test_what_is_not_opened_is_named():
    seen = read(several(
        ("Content-Type: text/plain", b"see"),
        ('Content-Type: application/ms-tnef; name="winmail.dat"\nContent-Transfer-Encoding: base64', PNG),
        ('Content-Type: application/octet-stream; name="WINMAIL.DAT"', b"x"),
        ('Content-Type: application/pkcs7-mime; name="smime.p7m"', b"x"),
        ("Content-Type: application/pgp-signature", b"x"),
        ("Content-Type: message/partial; id=x; number=1", b"x"),
    ))  # fmt: skip
    assert seen.set_aside == (
        "winmail.dat",
        "WINMAIL.DAT",
        "smime.p7m",
        "application/pgp-signature",
        "message/partial",
    )
    assert (seen.parts, seen.text) == ((), "see")
    sealed = read(
        several(
            ("Content-Type: application/pgp-encrypted", b"Version: 1"),
            ("Content-Type: application/octet-stream", b"x"),
            kind="multipart/encrypted",
        )
    )
    assert (sealed.set_aside, sealed.parts, sealed.text) == (("encrypted",), (), "")


def test_a_letter_in_the_letter_is_an_enclosure_and_read_when_nothing_else_is_said():
    inner = letter("아직 안 왔어요.").replace(b"\r\n", b"\n")
    seen = read(several(("Content-Type: text/plain", b"see below"), ("Content-Type: message/rfc822", inner)))
    assert (seen.text, [(part.name, part.content_type) for part in seen.parts]) == (
        "see below",
        [("Re_ refund.eml", "message/rfc822")],
    )
    assert "아직 안 왔어요.".encode() in seen.parts[0].content
    assert read(several(("Content-Type: message/rfc822", inner))).text == "아직 안 왔어요."
    coded = base64.encodebytes(inner)
    assert (
        read(several(("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64", coded))).text
        == "아직 안 왔어요."
    )


def test_a_boundary_folded_inside_its_quotes_and_one_that_never_comes():
    raw = f'{HEAD}Content-Type: multipart/mixed; boundary="one\n two"\n\n--one two\n\nfirst\n--one two--\n'
    assert read(raw.encode()).text == "first"
    lost = read(f'{HEAD}Content-Type: multipart/mixed; boundary="never"\n\nMy cup is broken.\n'.encode())
    assert (lost.text, lost.trouble) == ("My cup is broken.", ("structure",))


def test_base64_with_foreign_characters_cut_short_or_glued():
    body = base64.b64encode("환불해 주세요.".encode())
    for wrong in (
        body[:8] + b"!!\n" + body[8:],
        body.rstrip(b"=")[:-1],
        base64.b64encode("환불".encode()) + base64.b64encode("해 주세요. ".encode()),
    ):
        seen = read(
            f"{HEAD}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n".encode()
            + wrong
        )
        assert seen.text.startswith("환불")


def test_line_ends_of_old_macs_and_an_mbox_line():
    raw = f"From somebody Fri Nov 20 10:00:00 2026\n{HEAD}\nline one\nline two\n".encode()
    assert read(raw).text == read(raw.replace(b"\n", b"\r")).text == "line one\nline two"


def test_headers_with_a_blank_before_the_colon():
    assert read(b"From : a@b.example\nSubject : old style\n\nhello").subject == "old style"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "empty"), (b"\x00\r\n \t\n", "empty"), (b"hello", "not_a_letter"), (bytes(range(256)) * 20, "not_a_letter"), (b"Key: value\n\nhello", "not_a_letter"),
        (b"From: a@b.example\n\n", "nothing_in_it"), (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "not_a_letter"),
    ],
)  # fmt: skip
def test_what_is_no_letter_says_so(raw: bytes, code: str):
    with pytest.raises(Unreadable) as told:
        read(raw)
    assert told.value.code == code


def test_a_letter_without_sender_or_body_is_still_one():
    seen = read(b"Subject: where is my order\n\n")
    assert (seen.subject, seen.text, seen.sender) == ("where is my order", "", Address("", ""))
    assert "no_sender" in seen.trouble


def test_our_own_headers_are_kept():
    seen = read(letter("x", more="X-Makegood-Case: 42\nX-makegood-Kind: reply\n"))
    assert dict(seen.headers_own) == {"X-Makegood-Case": "42", "X-makegood-Kind": "reply"}
    assert seen.automatic == "own_loop"
