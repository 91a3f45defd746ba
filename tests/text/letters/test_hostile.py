"""Huge and hostile letters: read within bounds, and said to be cut. A missing bound shows as minutes or gigabytes here."""

from __future__ import annotations

import subprocess
import sys

import pytest

from makegood.text.letters import Letter, Unreadable, read
from makegood.text.letters.shapes import MAX_PARTS, MAX_TEXT
from tests.text.letters.post import HEAD

TOP = HEAD.encode()
HTML = TOP + b"Content-Type: text/html\n\n"
MIXED = TOP + b'Content-Type: multipart/mixed; boundary="b"\n\n'


def nested(depth: int) -> bytes:
    out = [TOP, b'Content-Type: multipart/mixed; boundary="b0"\n\n']
    out += [
        b'--b%d\nContent-Type: multipart/mixed; boundary="b%d"\n\n' % (level - 1, level)
        for level in range(1, depth)
    ]
    return b"".join(out) + b"--b%d\n\nhello\n" % (depth - 1)


def sound(seen: Letter) -> bool:
    """Whether every text of the letter can be stored."""
    texts = [
        seen.text,
        seen.said,
        seen.quoted,
        seen.signature,
        seen.html,
        seen.subject,
        seen.message_id,
        seen.sender.name,
        seen.sender.email,
        seen.language_hint,
    ]
    texts += [
        *seen.references,
        *seen.in_reply_to,
        *seen.delivered_to,
        *seen.set_aside,
        *seen.headers_own,
        *seen.headers_own.values(),
        seen.automatic_because,
    ]
    texts += [text for part in seen.parts for text in (part.name, part.content_type, part.content_id)]
    texts += [
        text for address in (*seen.to, *seen.cc, *seen.reply_to) for text in (address.name, address.email)
    ]
    if seen.bounce:
        texts += [
            *seen.bounce.recipients,
            *seen.bounce.original_to,
            seen.bounce.diagnostic,
            seen.bounce.status,
            seen.bounce.original_message_id,
        ]
    return not any(
        "\x00" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text) for text in texts
    )


@pytest.mark.parametrize(
    ("raw", "trouble"),
    [
        (nested(100), "too_deep"), (nested(500), "too_deep"), (nested(5000), "structure"), (MIXED + b"--b\n\nhi\n" * 10_000, "too_many_parts"),
        (MIXED + b"--b\nContent-Type: application/x; name=a\n\nhi\n" * 10_000, "too_many_parts"), (TOP + b"\n" + b"line\n" * 400_000, "truncated"),
        (TOP + b"Content-Type: multipart/mixed; " + b"a=b;" * 100_000 + b"\n\nhi", "structure"), (HTML + b"<div>" * 200_000 + b"x", "html"),
        (HTML + b"".join(b"<font color=%d>" % n for n in range(5000)) + b"<p>x" * 100_000, "html"), (HTML + b"<blockquote>" * 50_000, "html"),
        (HTML + b"<style>" * 300_000, "truncated"), (HTML + b'<a "' * 600_000, "truncated"), (HTML + b"<!--" * 600_000, "truncated"),
        (TOP + b"Content-Transfer-Encoding: base64\n\n" + b"=!" * 1_000_000, "base64"),
    ],
    ids=["depth 100", "depth 500", "depth 5000", "10,000 bodies", "10,000 files", "long", "parameters", "div", "font", "blockquote", "style", "quotes", "comments", "base64"],
)  # fmt: skip
def test_what_is_cut_is_said(raw: bytes, trouble: str):
    seen = read(raw)
    assert trouble in seen.trouble
    assert len(seen.text) <= MAX_TEXT
    assert len(seen.parts) <= MAX_PARTS
    assert seen.sender.email == "jiwoo@mail.example"
    assert sound(seen)


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + b"(" * 300_000 + b"\n\nhi", b"From: " + b'"\\' * 200_000 + b"\n\nhi", b"From: " + b"<" * 300_000 + b"\n\nhi",
        b"From: a@b.example\nTo: " + b",".join(b"a%d@b.example" % n for n in range(50_000)) + b"\n\nhi", b"From: a@b.example\nSubject: " + b"=?utf-8?B?7ZWc?= " * 50_000 + b"\n\nhi",
        TOP + b"X-A: " + b"a" * 1_000_000 + b"\n\nhi", TOP + b"".join(b"X-%d: a\n" % n for n in range(50_000)) + b"\nhi", TOP + b"\n" + b">" * 900_000, TOP + b"\n" + b"> a\n" * 200_000,
        TOP + b"\n" + b"From: a@b\n" * 90_000, TOP + b"\n" + (b"-" * 390 + b"x\n") * 2000, TOP + b"\n" + b"On 2020 a wrote\n" * 50_000, TOP + b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 300_000,
        TOP + b"Content-Type: text/plain; name*" + b"9" * 5000 + b"=x\n\nhi", TOP + b"Content-Type: text/plain; charset=utf-16\n\n" + b"\x00\xd8" * 100_000,
        TOP + b"Content-Type: text/plain; charset=zlib\n\nx", TOP + b"\n" + b"a\x00b" * 100_000, TOP + b"Content-Type: text/plain; charset=utf-7\n\n" + b"+2AA-" * 50_000,
        TOP.replace(b"Jiwoo", b"Ji\x00woo \xed\xa0\x80") + b"\n\xed\xa0\x80\x00", b"From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail\n\n" + b"a@a.a.a.a.a.a " * 100_000,
        TOP + b"Content-Type: message/rfc822\n\n" * 400 + b"hello",
    ],
)  # fmt: skip
def test_hostile_headers_and_lines_are_read_to_the_end(raw: bytes):
    seen = read(raw)
    assert sound(seen)
    assert len(seen.to) <= 200
    assert len(seen.subject) <= 1000


LEAST = """
import base64, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000, 1_200_000_000))
from makegood.text.letters import read
from tests.text.letters.test_hostile import TOP, nested
if sys.argv[1] == "file":
    raw = TOP + b"Content-Type: application/zip; name=a.zip\\nContent-Transfer-Encoding: base64\\n\\n" + base64.encodebytes(bytes(37_000_000))
else:
    raw = nested(150) + b"line of text\\n" * 3_000_000
seen = read(raw)
print(len(raw), [len(part.content) for part in seen.parts], *seen.trouble)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("what", "said"), [("file", "[37000000]"), ("lines", "truncated too_deep")])
def test_fifty_megabytes_are_read_in_little_more_than_a_gigabyte(what: str, said: str):
    # 37 MB in base64, and 40 MB of lines inside 150 open multiparts, the worst that the parser knows.
    told = subprocess.run(
        [sys.executable, "-c", LEAST, what], capture_output=True, text=True, timeout=300, check=False
    )
    assert said in told.stdout, told.stderr[-2000:]


def test_ten_thousand_pieces_of_nothing_are_no_letter():
    with pytest.raises(Unreadable):
        read(b"\x00" * 5_000_000 + b"\n" * 5_000_000)
