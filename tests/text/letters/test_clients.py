"""What Jiwoo, Li Na and Alex say now is told apart from what was said before, whatever program they write with."""

from __future__ import annotations

import pytest

from makegood.text.letters import read
from tests.text.letters.post import letter

# Program, what they said, what that program put under it.
REPLIES = {
    "gmail ko": ("아직 환불이 안 됐어요.", "2026년 11월 19일 (목) 오후 3:12, 하늘상점 <help@haneul.example>님이 작성:\n\n> 환불은 어제 처리했습니다.\n> 감사합니다.\n"),
    "gmail zh": ("还没收到退款。", "Haneul <help@haneul.example> 于2026年11月19日周四 15:12写道：\n\n> 退款已经办理。\n"),
    "gmail zh-tw": ("還沒收到退款。", "Haneul <help@haneul.example> 於 2026年11月19日 週四 下午3:12寫道：\n\n> 退款已經辦理。\n"),
    "gmail en": ("Still no money.", "On Thu, Nov 19, 2026 at 3:12 PM Haneul Shop <help@haneul.example> wrote:\n\n> We refunded it yesterday.\n"),
    "gmail en, wrapped": (
        "Still no money.",
        "On Thu, Nov 19, 2026 at 3:12 PM Haneul Shop Customer Service Department <\nhelp@haneul.example> wrote:\n\n> We refunded it.\n",
    ),
    "gmail ja": ("まだ届いていません。", "2026年11月19日(木) 15:12 Haneul <help@haneul.example>:\n\n> 発送しました。\n"),
    "gmail de": ("Noch kein Geld.", "Am Do., 19. Nov. 2026 um 15:12 Uhr schrieb Haneul <help@haneul.example>:\n\n> Erstattet.\n"),
    "apple ko": ("사진 보내드려요.", "> 2026. 11. 19. 오후 3:12, 하늘상점 <help@haneul.example> 작성:\n> \n> 사진을 보내 주세요.\n"),
    "apple ko, new": ("사진 보내드려요.", "2026. 11. 19. 오후 3:12, 하늘상점 <help@haneul.example> 작성:\n\n사진을 보내 주세요.\n"),
    "apple zh": ("照片在附件里。", "> 在 2026年11月19日，下午3:12，Haneul <help@haneul.example> 写道：\n> \n> 请发照片。\n"),
    "apple en": ("Photo attached.", "> On 19 Nov 2026, at 15:12, Haneul <help@haneul.example> wrote:\n> \n> Please send a photo.\n"),
    "apple ja": ("写真です。", "2026/11/19 15:12、Haneul <help@haneul.example>のメール:\n\n> 写真をください。\n"),
    "outlook ko": (
        "교환 말고 환불로 해 주세요.",
        "________________________________\n보낸 사람: 하늘상점 <help@haneul.example>\n보낸 날짜: 2026년 11월 19일 목요일 오후 3:12\n"
        "받는 사람: 지우 <jiwoo@mail.example>\n제목: 교환 안내\n\n교환을 도와드리겠습니다.\n",
    ),
    "outlook ko, no rule": (
        "교환 말고 환불로 해 주세요.",
        "보낸 사람: 하늘상점 <help@haneul.example>\n날짜: 목요일, 2026년 11월 19일 오후 3:12\n받는 사람: 지우\n제목: 교환 안내\n\n교환합니다.\n",
    ),
    "outlook zh": (
        "我要退款，不换货。",
        "________________________________\n发件人: Haneul <help@haneul.example>\n发送时间: 2026年11月19日 15:12\n收件人: Li Na\n主题: 换货\n\n可以换货。\n",
    ),
    "outlook en": (
        "A refund please, no exchange.",
        "From: Haneul <help@haneul.example>\nSent: Thursday, November 19, 2026 3:12 PM\nTo: Alex <alex@mail.example>\nSubject: Exchange\n\nWe can exchange it.\n",
    ),
    "outlook en, bold": (
        "A refund please.",
        "*From:* Haneul <help@haneul.example>\n*Sent:* Thursday, November 19, 2026 3:12 PM\n*To:* Alex\n*Subject:* Exchange\n\nWe can exchange it.\n",
    ),
    "outlook, old": ("A refund please.", "-----Original Message-----\nFrom: Haneul\nSent: Thursday\nTo: Alex\nSubject: x\n\nWe can.\n"),
    "outlook de": (
        "Bitte Geld zurück.",
        "Von: Haneul <help@haneul.example>\nGesendet: Donnerstag, 19. November 2026 15:12\nAn: Alex\nBetreff: Umtausch\n\nUmtausch geht.\n",
    ),
    "qq": (
        "什么时候到账？",
        '------------------ 原始邮件 ------------------\n发件人: "Haneul" <help@haneul.example>;\n发送时间: 2026年11月19日(星期四) 下午3:12\n'
        '收件人: "Li Na"<lina@qq.example>;\n主题: 退款\n\n已退款。\n',
    ),
    "qq en": ("When?", '------------------ Original ------------------\nFrom: "Haneul" <help@haneul.example>;\nDate: Thu, Nov 19, 2026\n\nDone.\n'),
    "netease": ("请尽快处理。", '在 2026-11-19 15:12:33，"Haneul" <help@haneul.example> 写道：\n\n已退款。\n'),
    "netease en": ("Please hurry.", 'At 2026-11-19 15:12:33, "Haneul" <help@haneul.example> wrote:\n\nRefunded.\n'),
    "netease master": ("请尽快处理。", "---- 回复的原邮件 ----\n| 发件人 | Haneul<help@haneul.example> |\n| 日期 | 2026年11月19日 15:12 |\n| 主题 | 退款 |\n已退款。\n"),
    "foxmail": ("请尽快处理。", "发件人： Haneul\n发送时间： 2026-11-19 15:12\n收件人： lina\n主题： 退款\n\n已退款。\n"),
    "aliyun": (
        "请尽快处理。",
        "------------------------------------------------------------------\n发件人：Haneul <help@haneul.example>\n发送时间：2026年11月19日(星期四) 15:12\n收件人：lina\n主　题：退款\n\n已退款。\n",
    ),
    "naver": (
        "입금이 안 됐습니다.",
        '-----Original Message-----\nFrom: "하늘상점" <help@haneul.example>\nTo: <jiwoo@naver.example>\nCc:\nSent: 2026-11-19 (목) 15:12:33 (GMT+09:00)\n'
        "Subject: 환불 안내\n\n환불했습니다.\n",
    ),
    "daum": (
        "입금이 안 됐습니다.",
        "--------- 원본 메일 ---------\n보낸사람 : 하늘상점 <help@haneul.example>\n받는사람 : jiwoo@daum.example\n날짜 : 2026년 11월 19일 15:12\n제목 : 환불 안내\n\n환불했습니다.\n",
    ),
    "daum, no line": ("입금이 안 됐습니다.", "보낸사람 : 하늘상점 <help@haneul.example>\n받는사람 : jiwoo@daum.example\n날짜 : 2026-11-19\n제목 : 환불\n\n환불했습니다.\n"),
    "samsung ko": ("택배가 안 왔어요.", "-------- 원본 이메일 --------\n발신: Haneul <help@haneul.example>\n날짜: 26/11/19 15:12 (GMT+09:00)\n받은 사람: jiwoo\n제목: 배송\n\n배송했습니다.\n"),
    "thunderbird zh": ("没有收到。", "-------- 转发的消息 --------\n主题: 发货\n日期: 2026-11-19\n发件人: Haneul\n\n已发货。\n"),
}  # fmt: skip


@pytest.mark.parametrize("program", REPLIES)
def test_what_is_said_now_stands_alone_and_the_rest_is_kept(program: str):
    said, below = REPLIES[program]
    seen = read(letter(f"{said}\n\n{below}"))
    assert seen.said == said
    assert below.strip().splitlines()[-1].removeprefix("> ") in seen.quoted
    assert seen.signature == ""
    assert seen.text.startswith(said) and below.strip().splitlines()[-1] in seen.text


def test_answers_written_between_quoted_lines_are_all_said():
    seen = read(
        letter(
            "안녕하세요.\n\nOn Thu, Nov 19, 2026 at 3:12 PM Haneul <help@haneul.example> wrote:\n> Which colour?\n\nRed.\n\n> Which size?\n\nLarge.\n"
        )
    )
    assert seen.said.split() == ["안녕하세요.", "Red.", "Large."]
    assert "Which size?" in seen.quoted


def test_an_answer_below_the_quotation_is_said():
    seen = read(
        letter(
            "On Thu, Nov 19, 2026 at 3:12 PM Haneul <help@haneul.example> wrote:\n> Did it arrive?\n\nNo, it did not.\n"
        )
    )
    assert seen.said == "No, it did not."


def test_a_forwarded_letter_without_a_word_is_what_there_is_to_read():
    body = "---------- Forwarded message ---------\nFrom: Haneul <help@haneul.example>\nDate: Thu\nSubject: Refund\nTo: Alex\n\nRefunded.\n"
    seen = read(letter(body))
    assert seen.said == seen.text == body.strip()
    assert seen.quoted == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "On Monday my sister wrote: it never came.",
        "From: the beginning it was broken.",
        "택배 기사님이 문자로 작성: 내일 온다고 했습니다.",
        "他在评价里写道：质量很差。",
        "The label says\nTo: my old address\nwhich is wrong.",
        "-----\nOrder 1234\n-----\nBroken.",
        "1 -- 2 pieces are missing",
        "원본 영수증은 제가 가지고 있습니다.",
        "发件人是你们，收件人是我。",
    ],
)
def test_words_that_only_look_like_a_quotation_stay_said(sentence: str):
    assert (
        read(letter(f"Hello,\n\n{sentence}\n\nPlease help.\n")).said
        == f"Hello,\n\n{sentence}\n\nPlease help."
    )


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone", "나의 iPhone에서 보냄", "내 iPhone에서 보냄", "Galaxy에서 보냈습니다.", "삼성 갤럭시 스마트폰에서 보냄", "发自我的iPhone",
        "从我的 iPhone 发送", "發自我的iPhone", "来自我的华为手机", "发送自 Windows 10 版邮件应用", "获取 Outlook for iOS", "Get Outlook for Android<https://aka.example/o>",
        "Windows용 메일에서 보냄", "Outlook for iOS 다운로드", "네이버 메일앱에서 보냈습니다.", "iPhoneから送信", "Sent with Proton Mail secure email.",
    ],
)  # fmt: skip
def test_a_line_of_the_device_is_no_words_of_the_customer(line: str):
    seen = read(
        letter(
            f"아직 못 받았어요.\n\n{line}\n\nOn Thu, Nov 19, 2026 at 3:12 PM Haneul <help@haneul.example> wrote:\n> Hello\n"
        )
    )
    assert (seen.said, seen.signature) == ("아직 못 받았어요.", line)


def test_a_signature_after_two_dashes_and_a_disclaimer():
    seen = read(letter("Where is it?\n\n-- \nAlex Kim\nTel 010-0000-0000\n"))
    assert (seen.said, seen.signature) == ("Where is it?", "-- \nAlex Kim\nTel 010-0000-0000")
    seen = read(letter("언제 오나요?\n\n본 메일은 지정된 수신인만을 위한 기밀 정보를 포함할 수 있습니다.\n"))
    assert seen.said == "언제 오나요?"


def test_a_picture_sent_with_nothing_but_the_line_of_the_device():
    assert read(letter("Sent from my iPhone\n")).said == "Sent from my iPhone"


def test_a_long_text_after_two_dashes_is_not_taken_for_a_signature():
    body = "First point.\n--\n" + "\n".join(f"This is sentence {n} of my complaint." for n in range(40))
    assert read(letter(body)).said == body


def test_flowed_lines_are_joined_and_quotations_kept():
    body = "This line goes \non here.\n> quoted text that \n> goes on\n-- \nAlex\n"
    seen = read(letter(body, kind="text/plain; charset=utf-8; format=flowed"))
    assert seen.text == "This line goes on here.\n> quoted text that goes on\n-- \nAlex"
    assert (seen.said, seen.signature) == ("This line goes on here.", "-- \nAlex")
    assert (
        read(letter("환불 \n요청", kind="text/plain; charset=utf-8; format=flowed; delsp=yes")).text
        == "환불요청"
    )
