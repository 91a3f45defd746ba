"""Any bytes at all: a letter that can be stored, or a reason why there is none; never anything else."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from makegood.text.letters import Letter, Unreadable, read
from makegood.text.letters.charsets import decode
from makegood.text.letters.folding import fold, unflow
from makegood.text.letters.headers import addresses, message_ids, when, words
from makegood.text.letters.safe import shown
from tests.text.letters.post import HEAD
from tests.text.letters.test_clients import REPLIES
from tests.text.letters.test_hostile import sound

NAMES = st.sampled_from(
    [
        "From",
        "To",
        "Cc",
        "Subject",
        "Date",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Content-Disposition",
        "Content-ID",
        "MIME-Version",
        "Return-Path",
        "Auto-Submitted",
        "Precedence",
        "List-Id",
        "Delivered-To",
        "X-Failed-Recipients",
        "X-Makegood-Case",
        "Reply-To",
        "Sender",
        "Received",
    ]
)
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"MAILER-DAEMON@x.example", b"Undelivered Mail Returned to Sender", b"multipart/mixed; boundary=b", b"multipart/report; report-type=delivery-status; boundary=b", b"message/rfc822",
            b"message/delivery-status", b"text/html; charset=euc-kr", b"text/plain; charset=utf-7; format=flowed; delsp=yes", b"base64", b"quoted-printable", b"x-uuencode", b"attachment; filename*0*=x'y'%41",
            b"=?euc-kr?B?v7W89sH1?= =?utf-8?Q?=ED=99?=", b"<a@b.example> (x", b"\"a\\\" <b@c.example>, d: e@f.example;", b"<>", b"auto-replied", b"Fri, 31 Feb 2026 25:61:00 +9959", b"application/ms-tnef",
            b"text/plain; charset=\"\xb0\xa1\"; name*999999999999999999999*=x", b"multipart/alternative; boundary=\"b\n c\"", b"message/partial", b"text/rfc822-headers",
        ]
    ),
)  # fmt: skip
LINES = st.lists(
    st.tuples(NAMES, VALUES).map(lambda line: line[0].encode() + b": " + line[1]), max_size=8
).map(b"\r\n".join)
BODIES = st.one_of(
    st.binary(max_size=200), st.sampled_from(["환불해 주세요".encode("cp949"), "退款".encode("gb18030"), "返金".encode("iso2022_jp"), b"<p>x<blockquote>y", b"--b\r\n", b"--b--", b"begin 644 x\n#0V%T\n`\nend"])
)  # fmt: skip
PIECES = st.lists(st.tuples(LINES, BODIES).map(lambda both: both[0] + b"\r\n\r\n" + both[1]), max_size=6).map(
    b"\r\n--b\r\n".join
)


def reads(raw: bytes) -> Letter | None:
    try:
        seen = read(raw)
    except Unreadable as told:
        # 'defect' would hide a mistake of ours behind the quarantine.
        assert told.code in ("empty", "not_a_letter", "nothing_in_it"), repr(told.__cause__)
        return None
    assert sound(seen)
    assert bool(seen.said) == bool(seen.text.strip())
    assert (seen.bounce is None) == (seen.automatic != "bounce")
    assert bool(seen.automatic) == bool(seen.automatic_because)
    return seen


@given(st.binary(max_size=2000))
def test_any_bytes(raw: bytes):
    reads(raw)
    reads(HEAD.encode() + raw)


@settings(max_examples=400)
@given(PIECES)
@example(
    b"From: MAILER-DAEMON@x.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nx"
)
def test_letters_put_together_from_what_letters_are_made_of(raw: bytes):
    reads(raw)


@given(st.sampled_from(sorted(REPLIES)), st.data())
def test_letters_of_our_customers_damaged_on_the_way(program: str, data: st.DataObject):
    said, below = REPLIES[program]
    raw = bytearray(f"{HEAD}Content-Type: text/plain; charset=utf-8\n\n{said}\n\n{below}".encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=4))
    reads(bytes(raw))


@given(st.text(max_size=600))
def test_folding_moves_words_and_loses_none(text: str):
    folded = fold(text)
    kept = "".join((folded.said + folded.quoted + folded.signature).split())
    assert sorted(kept.replace("\u200b", "")) == sorted("".join(text.split()).replace("\u200b", ""))


@given(st.text(alphabet="> \n-a", max_size=200), st.booleans())
def test_unflowing_only_joins(text: str, delsp: bool):
    assert unflow(text, delsp).replace("\n", "").replace(" ", "").replace(">", "") == text.replace(
        "\n", ""
    ).replace(" ", "").replace(">", "")


@given(st.text(max_size=300) | st.lists(st.sampled_from(["<", ">", "<p>", "<img src=https://a.example/b>", "<a href='javascript:x'>", "<!--", "<style>", "</style>", "<script>", '"', "'", "&#0;", "&#xd800;", "<b ", "</b>", "x"]), max_size=60).map("".join))  # fmt: skip
def test_any_html_is_safe_and_stays_so(html: str):
    once = shown(html)
    assert (
        "<script" not in once.html and "javascript:" not in once.html.replace("&", " ")
    ) or "javascript:" in html
    assert 'src="http' not in once.html.replace('data-src="http', "")
    assert "\x00" not in once.html + once.text


@given(
    st.binary(max_size=300),
    st.sampled_from(
        [
            "",
            "utf-8",
            "euc-kr",
            "gb2312",
            "big5",
            "iso-2022-jp",
            "utf-16",
            "utf-7",
            "us-ascii",
            "nonsense",
            "zlib",
            "idna",
            "\x00",
            "hex",
        ]
    ),
)
def test_any_bytes_under_any_name_are_text(data: bytes, label: str):
    text, _ = decode(data, label)
    text.encode()
    assert "\x00" not in text


@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_header_values_of_any_kind(value: str):
    raw = value.encode().decode("ascii", "surrogateescape")
    words(raw).encode()
    when(raw)
    for address in addresses([raw]):
        assert address.email == "" or "@" in address.email
    assert all(found.startswith("<") and found.endswith(">") for found in message_ids([raw]))
