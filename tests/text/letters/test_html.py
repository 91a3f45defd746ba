"""HTML letters: safe to show, nothing loaded from elsewhere until asked, and readable as text."""

from __future__ import annotations

import pytest

from makegood.text.letters import read
from tests.text.letters.post import coded, letter, several


def page(html: str) -> bytes:
    return letter(html, kind="text/html; charset=utf-8")


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>", "<svg onload=alert(1)>", "<iframe src=//e.example></iframe>",
        "<p style='background:url(https://e.example/x)'>x</p>", "<table background='https://e.example/x'><tr><td>x</table>", "<link rel=stylesheet href=https://e.example/x>",
        "<style>@import 'https://e.example/x'</style>", "<img srcset='https://e.example/x 2x'>", "<video poster=https://e.example/x></video>", "<base href=https://e.example/>",
        "<meta http-equiv=refresh content='0;url=https://e.example/'>", "<form action=https://e.example/><input name=a></form>", "<math><mtext></p><img src=x onerror=alert(1)>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<img data-src='javascript:alert(1)'>", "<img src='https://e.example/x'>", "<img src='//e.example/x'>",
        "<a href='cid:x'>x</a>", "<object data=https://e.example/x></object>", "<p id=csrf class=button onclick=x>x</p>", "<!--[if mso]><img src=https://e.example/x><![endif]-->",
        "<textarea><img src=x onerror=alert(1)></textarea>", "<a href=' jAvA\tscript:alert(1)'>x</a>", "<img src='data:text/html;base64,PHNjcmlwdD4='>",
    ],
)  # fmt: skip
def test_nothing_in_a_letter_runs_or_loads(evil: str):
    seen = read(page(f"<p>before</p>{evil}<p>after</p>"))
    lower = seen.html.lower()
    for word in (
        "<script",
        "onerror",
        "onload",
        "onclick",
        "javascript:",
        "<iframe",
        "style",
        "background",
        "<link",
        "srcset",
        "<form",
        "<input",
        "<meta",
        "<base",
        " id=",
        "class=",
    ):
        assert word not in lower.replace("data-src", "")
    assert " src=" not in lower
    assert "before" in seen.text and "after" in seen.text
    assert "alert" not in seen.text


def test_pictures_from_elsewhere_wait_and_enclosed_ones_stay():
    seen = read(
        page(
            '<p>Look <img src="https://cdn.example/a.png?x=1&amp;y=2" alt="box" width=10> <img src="//cdn.example/b.png"> <img src="cid:one@x"></p>'
        )
    )
    assert '<img alt="box" width="10" data-src="https://cdn.example/a.png?x=1&amp;y=2">' in seen.html
    assert '<img data-src="https://cdn.example/b.png">' in seen.html
    assert '<img src="cid:one@x">' in seen.html


def test_a_screenshot_pasted_into_the_letter_becomes_an_enclosure():
    seen = read(page('<p>see</p><img src="data:image/png;base64,iVBORw0KGgo=">'))
    assert [(part.name, part.content_type, part.content, part.inline) for part in seen.parts] == [
        ("inline-1.png", "image/png", b"\x89PNG\r\n\x1a\n", True)
    ]
    assert f'src="cid:{seen.parts[0].content_id}"' in seen.html


def test_links_keep_their_way_and_say_nothing_about_us():
    assert (
        'href="https://shop.example/a" rel="noopener noreferrer nofollow"'
        in read(page('<a href="https://shop.example/a">here</a>')).html
    )


def test_html_alone_is_readable_as_text():
    seen = read(page(
        "<html><head><title>no</title><style>p{}</style></head><body><div>안녕하세요.</div><div><br></div><div>주문&nbsp;<b>HN-1</b> 건:</div>"
        "<ul><li>하나<li>둘</ul><table><tr><td>상품<td>컵</table><p>끝<br>감사</p><div style='display:none'>hidden</div></body></html>"
    ))  # fmt: skip
    assert seen.text == "안녕하세요.\n\n주문 HN-1 건:\n\n- 하나\n- 둘\n\n상품 컵\n\n끝\n감사"
    assert seen.said == seen.text


@pytest.mark.parametrize(
    "below",
    [
        '<div class="gmail_quote"><div dir="ltr" class="gmail_attr">2026년 11월 19일 (목) 오후 3:12, 하늘 &lt;<a href="mailto:h@h.example">h@h.example</a>&gt;님이 작성:<br></div>'
        '<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid">OLD</blockquote></div>',
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>보낸 사람:</b> 하늘 &lt;h@h.example&gt;<br><b>보낸 날짜:</b> 2026년 11월 19일 목요일<br>"
        "<b>받는 사람:</b> 지우<br><b>제목:</b> 환불<o:p></o:p></p></div><p class=MsoNormal>OLD</p>",
        '<hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>发件人:</b> H &lt;h@h.example&gt;<br><b>发送时间:</b> 2026年11月19日<br><b>收件人:</b> L<br><b>主题:</b> R</font><div>&nbsp;</div></div><div>OLD</div>',
        '<blockquote type="cite"><div>On 19 Nov 2026, at 15:12, H &lt;h@h.example&gt; wrote:</div><br><div>OLD</div></blockquote>',
        '<div style="font-size: 12px;padding:2px 0;">------------------&nbsp;原始邮件&nbsp;------------------</div><div style="background:#efefef;"><div><b>发件人:</b>&nbsp;"H"&nbsp;&lt;h@h.example&gt;;</div></div><div>OLD</div>',
        '<div id="isReplyContent">在 2026-11-19 15:12:33，"H" &lt;h@h.example&gt; 写道：<blockquote id="isReplyContent">OLD</blockquote></div>',
        '<p>-----Original Message-----<br><b>From:</b> "하늘"&lt;h@h.example&gt; <br><b>To:</b> <br><b>Sent:</b> 2026-11-19 (목) 15:12:33 (GMT+09:00)<br><b>Subject:</b> 환불</p><p>OLD</p>',
        "<div>--------- 원본 메일 ---------</div><div>보낸사람 : 하늘 &lt;h@h.example&gt;</div><div>받는사람 : 지우</div><div>날짜 : 2026</div><div>OLD</div>",
        '<div class="yahoo_quoted"><div>On Thursday, 19 November 2026 at 15:12:33 GMT+9, H &lt;h@h.example&gt; wrote:</div><div>OLD</div></div>',
        '<div class="moz-cite-prefix">On 19/11/2026 15:12, H wrote:<br></div><blockquote type="cite" cite="mid:x">OLD</blockquote>',
    ],
    ids=["gmail", "outlook", "outlook.com", "apple", "qq", "netease", "naver", "daum", "yahoo", "thunderbird"],
)  # fmt: skip
def test_what_is_said_now_in_html(below: str):
    seen = read(page(f"<div>아직 못 받았어요.</div><div><br></div>{below}"))
    assert seen.said == "아직 못 받았어요."
    assert "OLD" in seen.quoted


def test_the_plain_form_is_taken_unless_it_says_nothing():
    alternatives = [
        ("Content-Type: text/plain; charset=utf-8", "글자만".encode()),
        ("Content-Type: text/html; charset=utf-8", b"<p>rich</p>"),
    ]
    seen = read(several(*alternatives, kind="multipart/alternative"))
    assert seen.text == "글자만" and "rich" in seen.html
    empty = [
        ("Content-Type: text/plain", b"Your mail client does not support HTML."),
        ("Content-Type: text/html", b"<p>My cup came broken.</p>"),
    ]
    assert read(several(*empty, kind="multipart/alternative")).text == "My cup came broken."


def test_html_in_a_wrong_charset():
    assert (
        read(coded("<p>환불해 주세요</p>".encode("cp949"), kind="text/html; charset=iso-8859-1")).text
        == "환불해 주세요"
    )


def test_words_after_an_unclosed_comment_or_style_are_not_lost():
    assert "broken" in read(page("<p>cup <!-- broken cup")).text
    assert "broken" in read(page("<style>p{} <p>broken cup")).text


def test_an_emoji_sent_as_a_picture_is_read():
    assert read(page('<p>Thanks <img alt="😀" src="https://e.example/e.png"></p>')).text == "Thanks 😀"
