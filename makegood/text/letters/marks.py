"""What mail programs write around the letter that is answered, and under one's own words: patterns as constants.

They are here and not in a pack because a pattern can hang the reader or swallow a letter: each has its test and is tried
on at most 400 characters of a line. Sources: the programs themselves (Gmail, Outlook, Apple Mail, QQ, NetEase, Foxmail,
Aliyun, Naver, Daum, Nate, Samsung, Thunderbird) and what Zammad, talon and Crisp's email-reply-parser recognise.
"""

from __future__ import annotations

import re

_DASH = "[-_=—–─*~ \t\u3000]"

# A line of its own that begins the letter that is answered or passed on.
SEPARATOR = re.compile(
    rf"{_DASH}{{0,60}}[-_=—–─*\[<]{_DASH}{{0,30}}(?:"
    r"original[ -]?(?:message|e-?mail|mail)|original|forwarded[ -]?(?:message|mail)|reply to the original mail|replied message"
    r"|원본[ ]?(?:메[일세]지?|메시지|이메일)|전달된?[ ]?(?:메일|메시지)|원문|이전[ ]?메일"
    r"|(?:回复的)?原[始邮]?(?:邮件|始邮件|邮件原件|件|信)|邮件原件|原始信件|原文|转发的?(?:邮件|信件|消息)|已转发的?邮件|答复的?原?邮件"
    r"|原始郵件|原始訊息|轉寄的?郵件|轉寄的?訊息|原郵件"
    r"|元のメッセージ|転送(?:された)?メッセージ|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine|mensaje original"
    rf"){_DASH}{{0,30}}[\]>]?{_DASH}{{0,60}}",
    re.IGNORECASE,
)
# 'On … wrote:' in one line, or in two or three joined ones.
ATTRIBUTION = re.compile(
    r"(?:on\s.{6,300}\s(?:wrote|writes)\s?[:：]?"
    r"|(?:at|in)\s.{6,300}\swrote\s?[:：]"
    r"|.{6,300}님이?\s?(?:작성|쓴 글|씀|쓰시기를)(?:한 내용|하였습니다|했습니다)?\s?[:：]"
    r"|.{6,300}(?:에|이)\s?(?:작성|쓴 글)(?:하였습니다|했습니다)?\s?[:：]"
    r"|.{6,300}[>,)\]\d]\s?작성\s?[:：]"
    r"|.{2,300}(?:写道|寫道|写到|撰写)\s?[:：]?"
    r"|.{6,300}(?:のメッセージ|のメール|が書きました|は書きました|さんは書きました)\s?[:：]"
    r"|(?:am|von)\s.{6,300}\sschrieb(?:\s.{1,150})?\s?[:：]"
    r"|le\s.{6,300}\sa\sécrit\s?[:：]|el\s.{6,300}\sescribió\s?[:：]|.{6,300}\swrote\s?[:：])",
    re.IGNORECASE,
)
# Japanese and Chinese Gmail name only the moment and the person: '2024年1月5日(金) 15:12 山田 <a@b.example>:'
DATED_ADDRESS = re.compile(
    r"\d{4}[年/.-]\s?\d{1,2}[月/.-]\s?\d{1,2}.{3,200}<[^<>\s]{3,200}@[^<>\s]{2,200}>\s?[:：]"
)
# What makes an attribution one: a moment or an address in it.
EVIDENCE = re.compile(r"\d{1,2}[:：]\d{2}|\d{4}|[^\s@<]{1,100}@[^\s@>]{2,100}")
ATTRIBUTION_BEGINS = re.compile(
    r"on\s|at\s|in\s|am\s|von\s|le\s|el\s|在|\d{4}|[\"“<]|.{0,60}(?:<|于|於|님|\d{4})", re.IGNORECASE
)
ATTRIBUTION_ENDS = re.compile(
    r"(?:wrote|writes|schrieb.{0,150}|작성.{0,12}|쓴 글|写道|寫道|写到|メッセージ|のメール|書きました|écrit|escribió|>)\s?[:：]?\s*",
    re.IGNORECASE,
)

# The block of header lines that Outlook and most web mailers put before it.
FROM = r"from|보낸\s?(?:사람|이)|발신(?:자|인)?|发件人|寄件者|寄件人|发信人|差出人|von|送信者"
OTHER = (
    r"sent|date|to|cc|subject|보낸\s?(?:날짜|시간)|받은\s?날짜|날짜|일시|받는\s?(?:사람|이)|수신(?:자|인)?|참조|제목"
    r"|发送(?:时间|日期)|发件时间|日期|时间|收件人|抄送|抄送人|主\s?题|傳送時間|寄件日期|收件者|副本|主旨"
    r"|送信日時|日時|宛先|件名|gesendet|datum|an|betreff"
)
FROM_LINE = re.compile(
    rf"[\s>*|•·▶-]{{0,6}}(?:{FROM})\s?\*?\s?[:：]\s?\*?(?P<value>.{{0,300}})", re.IGNORECASE
)
HEADER_LINE = re.compile(
    rf"[\s>*|•·▶-]{{0,6}}(?P<label>{FROM}|{OTHER})\s?\*?\s?[:：]\s?\*?(?P<value>.{{0,300}})", re.IGNORECASE
)
RULE = re.compile(r"[-_=─—*]{5,200}")

# One line at the end that a device or a program added.
SENT_WITH = re.compile(
    r"[-—( \t]{0,4}(?:"
    r"(?:sent|get|gesendet|von meinem|envoyé)\b.{0,30}\b(?:from|with|via|using|outlook|mit|von|gesendet|de mon|my)\b.{0,80}"
    r"|sent from .{1,60}|get outlook for .{1,80}"
    r"|(?:나의|내|제)?\s?[\w .+-]{1,40}?에서\s?(?:보냄|보냈습니다|보낸 메일입니다|발송됨|발송|작성됨)"
    r"|.{0,30}outlook.{0,20}(?:다운로드|받기|가져오기).{0,60}|(?:네이버|다음|카카오)\s?메일\s?앱에서.{0,20}"
    r"|(?:从|從|由|通过)?\s?我的.{1,30}(?:发送|傳送|寄出|发出)|发自(?:我的)?.{1,40}|發自(?:我的)?.{1,40}|来自(?:我的)?.{1,40}的邮件|来自我的.{1,40}"
    r"|(?:从|通过)\s?.{1,30}(?:版邮件|应用|客户端|手机版)\s?发送|.{0,10}发送自.{1,40}|获取\s?(?:适用于.{1,20}的\s?)?outlook.{0,60}|取得\s?outlook.{0,60}"
    r"|.{1,30}から送信"
    r")[.。) \t]{0,4}",
    re.IGNORECASE,
)
DELIMITER = re.compile(r"(?:--|—|-- )\s*")
DISCLAIMER = re.compile(
    r"[\s*\[(【]{0,4}(?:this (?:e-?mail|message|communication)\b.{0,80}\b(?:confidential|privileged|intended)"
    r"|confidentiality notice|disclaimer\b|privileged[/ ]confidential|이 (?:이?메일|메시지)은?.{0,60}(?:기밀|비밀|수신인)"
    r"|본 (?:이?메일|메시지|전자우편).{0,80}(?:기밀|비밀|수신인|법률|법적)|(?:本|此)(?:电子)?邮件.{0,60}(?:保密|机密|机密信息|收件人|专有)|免责声明|保密提示|机密声明)",
    re.IGNORECASE,
)
