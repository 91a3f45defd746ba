"""Every charset that shops and customers of Korea, China and Japan really use, under right, wrong and missing names."""

from __future__ import annotations

import base64

import pytest

from makegood.text.letters import read
from tests.text.letters.post import HEAD, coded

KO = (
    "주문한 상품이 아직 도착하지 않았습니다. 환불해 주세요. 똠방각하 햏"  # the last words exist in CP949 only
)
KO_OLD = "주문한 상품이 아직 도착하지 않았습니다. 환불해 주세요."
ZH = "订单还没有收到，请尽快退款。朱镕基 喆"  # 镕 and 喆 exist in GBK only
ZH_OLD = "订单还没有收到，请尽快退款，谢谢。"
TW = "訂單還沒有收到，請盡快退款，謝謝。"
JA = "注文した商品がまだ届きません。返金してください。"


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("ks_c_5601-1987", "cp949", KO), ("euc-kr", "cp949", KO), ("EUC-KR", "euc_kr", KO_OLD), ("cp949", "cp949", KO), ("windows-949", "cp949", KO),
        ("gb2312", "gb18030", ZH), ("GBK", "gbk", ZH), ("gb18030", "gb18030", ZH + "𠮷"), ("big5", "big5hkscs", TW), ("big5", "cp950", TW),
        ("iso-2022-jp", "iso2022_jp", JA), ("shift_jis", "cp932", JA + "①"), ("euc-jp", "euc_jp", JA), ("iso-2022-kr", "iso2022_kr", KO_OLD),
        ("utf-8", "utf-8", KO + ZH), ("utf8mb4", "utf-8", KO), ("utf-16", "utf-16", KO), ("utf-7", "utf-7", ZH_OLD), ("windows-1252", "cp1252", "Où est ma commande ? “Voilà”"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", ["8bit", "base64"])
def test_a_named_charset_is_read_as_its_mailers_mean_it(label: str, codec: str, text: str, how: str):
    how = "base64" if codec == "utf-16" else how  # line ends cannot be told in it otherwise
    seen = read(coded(text.encode(codec), kind=f'text/plain; charset="{label}"', how=how))
    assert seen.text == text
    assert "charset" not in seen.trouble


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("us-ascii", "cp949", KO_OLD), ("iso-8859-1", "cp949", KO_OLD), ("iso-8859-1", "utf-8", KO), ("iso-8859-1", "gb18030", ZH_OLD),
        ("utf-8", "cp949", KO_OLD), ("utf-8", "gb18030", ZH_OLD), ("euc-kr", "utf-8", KO), ("gb2312", "utf-8", ZH), ("us-ascii", "big5", TW),
        ("nonsense-42", "cp949", KO_OLD), ("", "cp949", KO_OLD), ("", "gb18030", ZH_OLD), ("", "utf-8", KO), ("us-ascii", "iso2022_jp", JA),
        ("utf-8", "cp932", JA), ("utf-8", "cp1252", "Où est ma commande déjà payée ?"),
    ],
)  # fmt: skip
def test_a_lying_or_missing_name_is_seen_through(label: str, codec: str, text: str):
    kind = f"text/plain; charset={label}" if label else "text/plain"
    seen = read(coded(text.encode(codec), kind=kind))
    assert seen.text == text
    assert ("charset" in seen.trouble) == bool(label and codec != "iso2022_jp")


@pytest.mark.parametrize(
    ("codec", "text"), [("cp949", KO_OLD), ("gb18030", ZH_OLD), ("big5", TW), ("iso2022_jp", JA)]
)
def test_a_long_head_in_ascii_does_not_hide_what_follows(codec: str, text: str):
    seen = read(coded(b"order 1234 " * 2000 + text.encode(codec), kind="text/plain; charset=us-ascii"))
    assert seen.text.endswith(text)


def test_a_character_cut_in_the_middle_costs_that_character_only():
    seen = read(coded(KO_OLD.encode()[:-2], kind="text/plain; charset=utf-8"))
    assert seen.text.startswith(KO_OLD[:-2])
    assert "charset" in seen.trouble
    assert "\ufffd" in seen.text


def subject(line: bytes) -> str:
    return read(
        HEAD.replace("Subject: Re: refund\n", "").encode() + b"Subject: " + line + b"\n\nhello"
    ).subject


def test_subjects_as_words_of_rfc_2047():
    def word(text: bytes, label: str) -> bytes:
        return b"=?" + label.encode() + b"?B?" + base64.b64encode(text) + b"?="

    assert subject(word(KO.encode("cp949"), "ks_c_5601-1987")) == KO
    assert (
        subject(b"Re: " + word("환불".encode(), "utf-8") + b" " + word("요청".encode(), "utf-8"))
        == "Re: 환불요청"
    )
    # Cut in the middle of a character, as many mailers cut.
    raw = "환불 요청".encode()
    assert subject(word(raw[:4], "utf-8") + b"\n " + word(raw[4:], "utf-8")) == "환불 요청"
    assert (
        subject(b"=?gb2312?Q?" + "退款".encode("gbk").hex("=").upper().join((" =", ""))[1:].encode() + b"?=")
        == "退款"
    )
    assert subject(b"=?iso-2022-jp?B?" + base64.b64encode("返金".encode("iso2022_jp")) + b"?=") == "返金"
    assert subject(b"=?utf-8?B?7ZmY67aI?= and =?broken?X?zzz?=") == "환불 and =?broken?X?zzz?="


@pytest.mark.parametrize(
    ("codec", "text"),
    [("cp949", KO_OLD), ("gb18030", ZH_OLD), ("utf-8", KO), ("cp949", "환불"), ("utf-8", "退款")],
)
def test_a_raw_eight_bit_subject(codec: str, text: str):
    assert subject(text.encode(codec)) == text


def test_a_sender_and_a_file_in_raw_korean():
    raw = (
        'From: "하늘" <jiwoo@Mail.EXAMPLE>\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=e\n\n--e\n'
        'Content-Type: image/png; name="영수증.png"\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--e--\n'
    )
    for codec in ("utf-8", "cp949"):
        seen = read(raw.encode(codec))
        assert (seen.sender.name, seen.sender.email) == ("하늘", "jiwoo@mail.example")
        assert [(part.name, part.content[:4], part.inline) for part in seen.parts] == [
            ("영수증.png", b"\x89PNG", True)
        ]


def test_file_names_of_rfc_2231_and_of_everybody_else():
    names = {
        "filename*=UTF-8''%EC%98%81%EC%88%98%EC%A6%9D.pdf": "영수증.pdf",
        "filename*0*=UTF-8''%EC%98%81;\n filename*1*=%EC%88%98%EC%A6%9D.pdf": "영수증.pdf",
        'filename="=?UTF-8?B?7JiB7IiY7KadLnBkZg==?="': "영수증.pdf",
        'filename="=?euc-kr?B?v7W89sH1LnBkZg==?="': "영수증.pdf",
        'filename="../../etc/passwd"': "passwd",
        'filename="C:\\\\temp\\\\a.pdf"': "a.pdf",
        "filename=a.pdf": "a.pdf",
    }
    for given, name in names.items():
        raw = f"{HEAD}Content-Type: application/pdf\nContent-Disposition: attachment; {given}\n\nx"
        assert [part.name for part in read(raw.encode()).parts] == [name], given
