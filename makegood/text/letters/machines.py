"""Whether a machine wrote the letter: by its headers (RFC 3834, RFC 3464, RFC 2919), then by what machines are called.

A person's letter taken for a machine's is never answered, so a single weak word decides nothing: a subject counts only
at its beginning, a sender's name only for those that no person has, a report only when it is the letter's own shape.
"""

from __future__ import annotations

import re
from email.message import Message

from makegood.text.letters import mime, walking
from makegood.text.letters.headers import words

_DAEMON = re.compile(
    r"^(?:.*[<\s\"])?(?:mailer-?daemon|mail-?daemon|mdaemon|postmaster|post_?master|mail-?delivery|mail-?delivery-?(?:sub)?system"
    r"|bounces?|bounce-?notification|maildelivery|mmdf|listserv-bounces?|mailerdaemon)\b",
    re.IGNORECASE,
)
_DAEMON_NAMES = re.compile(
    r"mail (?:delivery|system|administrator)|mail transport|delivery (?:sub)?system|mailer.?daemon|system administrator|postmaster"
    r"|internet mail delivery|配信|メール配信|系统管理员|邮件投递",
    re.IGNORECASE,
)
_BOUNCED = re.compile(
    r"(?:undeliver(?:ed|able)|undelivered mail|returned mail|mail (?:delivery )?(?:failed|failure|error|system error|could not be delivered)"
    r"|mail delivery|delivery (?:status )?notification|delivery (?:failure|has failed|report|status|problem|delayed|error)|delivery unsuccessful"
    r"|failure (?:notice|delivery)|failed (?:mail|delivery|message)|non.?delivery|nondeliver|message (?:delivery|status|delayed|undeliverable|not delivered)"
    r"|could not (?:be delivered|send|deliver)|unable to deliver|unzustellbar|non remis|mail returned|return(?:ed|ing) to sender|bounced? (?:mail|message)"
    r"|warning: (?:message|could not send|mail).{0,40}|dsn\b|ndn\b|your message (?:couldn't|wasn't|could not)|user unknown|address (?:not found|changed)"
    r"|메일 ?(?:발송|전송|배달|전달) ?(?:실패|오류|불가)|배달 ?(?:되지 ?않음|실패)|반송|전송 ?실패|발송 ?실패|배달할 수 없"
    r"|系统退信|退信|投递失败|邮件投递|未送达|无法投递|(?:メール)?(?:配信|送信)?(?:不能|エラー)|配送エラー|未達|送达失败|傳遞失敗|無法傳遞|无法传递)",
    re.IGNORECASE,
)
# At the beginning of a subject, and ended there: 'the automatic reply never stops' is somebody's complaint.
_AWAY = re.compile(
    r"[\[【(]?(?:auto(?:mat(?:ic|ed))?[ -]?(?:reply|response|antwort|responder)|auto|out of (?:the )?office(?:[ :-]{1,3}(?:auto.{0,3}reply|reply|re|notification|message))?|ooo"
    r"|vacation(?: reply| response| notice)?|away from (?:my|the) (?:mail|office|desk)|i am (?:away|out of (?:the )?office).{0,40}|abwesenheits\w*|automatische \w+"
    r"|réponse automatique|respuesta automática|risposta automatica|자동\s?(?:회신|응답|답장|답신)(?:\s?(?:메일|메시지))?(?:입니다)?|부재\s?중(?:\s?(?:알림|자동\s?응답|입니다))?|부재\s?알림"
    r"|휴가\s?중(?:입니다)?|自动(?:回复|答复|回覆)(?:邮件)?|自動(?:回覆|返信|応答|回信)(?:メール)?|不在(?:通知|连絡|連絡)|外出(?:自动|自動)(?:回复|回覆))\s*(?:[:：\]】)\-–,，]|$)",
    re.IGNORECASE,
)
_LOCALS_AWAY = re.compile(
    r"^(?:auto-?reply|autoreply|auto-?respond(?:er)?|autoresponse|vacation)\b", re.IGNORECASE
)
_BROKEN_BODY = re.compile(
    r"(?:this is the (?:\S+ ){0,4}(?:mail|qmail-send|delivery|postfix)|i was not able to deliver|hi\. this is the|unable to deliver (?:your|the) message"
    r"|the following (?:message|address(?:es)?|recipient)|your message .{0,80}(?:could not|was not|couldn't|cannot) be? ?deliver|this message was created automatically by mail"
    r"|could not be delivered to|undeliverable|delivery to the following|permanent (?:fatal )?errors?|transcript of session follows|<{0,3}\s?5\d\d[ -])",
    re.IGNORECASE,
)


def judged(
    message: Message, found: walking.Found, subject: str, sender: str, text: str, reported: bool
) -> tuple[str, str]:
    """The kind of machine and why, both '' for a person's letter. ``reported``: a delivery report was read in it."""
    because = _bounced(message, found, subject, sender, text, reported)
    if because:
        return "bounce", because
    for name, _ in message.raw_items():
        if name.lower().startswith("x-makegood-"):
            # Only our own letters carry it at the top: one came back round.
            return "own_loop", name
    return _said(message, found) or _seen(message, subject, sender)


def may_be_bounce(message: Message, subject: str) -> bool:
    """Whether anything about the letter looks like a report: its sender, its subject, an empty return path."""
    line = mime.first(message, "From")
    return bool(
        mime.values(message, "X-Failed-Recipients")
        or mime.first(message, "Return-Path") == "<>"
        or _is_daemon("", line)
        or _BOUNCED.match(subject)
    )


def _is_daemon(sender: str, line: str) -> bool:
    return bool(_DAEMON.match(sender) or _DAEMON.match(line[:300]) or _DAEMON_NAMES.search(words(line[:300])))


def _bounced(
    message: Message, found: walking.Found, subject: str, sender: str, text: str, reported: bool
) -> str:
    said = mime.kind(message)
    if said == "multipart/report" and mime.parameter(message, "report-type").lower() == "delivery-status":
        return "Content-Type: multipart/report; report-type=delivery-status"
    if any(mime.kind(part).endswith("delivery-status") for part in found.reports):
        return "message/delivery-status"
    if mime.values(message, "X-Failed-Recipients"):
        return "X-Failed-Recipients"
    if any(
        mime.kind(part) in ("message/feedback-report", "message/disposition-notification")
        for part in found.reports
    ):
        return ""
    line = mime.first(message, "From") or sender
    daemon = _is_daemon(sender, line)
    null = mime.first(message, "Return-Path") == "<>"
    failed = bool(_BOUNCED.match(subject))
    broken = bool(_BROKEN_BODY.search(text[:3000]))
    if daemon and (failed or reported or broken or null):
        return "From: a mail system"
    if null and (failed or (reported and not _AWAY.match(subject))):
        return "Return-Path: <>, and what it says"
    if failed and reported and (broken or found.returned):
        return "Subject of a delivery report, and what it says"
    return ""


def _said(message: Message, found: walking.Found) -> tuple[str, str] | None:
    """What the sender's machine declared itself."""
    auto = mime.first(message, "Auto-Submitted").lower()
    if auto.startswith(("auto-replied", "auto-notified")):
        return "auto_reply", "Auto-Submitted"
    if auto and not auto.startswith("no"):
        return "auto_generated", "Auto-Submitted"
    for name in (
        "X-Autoreply",
        "X-Autorespond",
        "X-Autoresponder",
        "X-Auto-Reply",
        "X-Mail-Autoreply",
        "X-Vacation",
        "X-POST-MessageClass",
    ):
        value = mime.first(message, name).lower()
        if (
            value
            and value not in ("no", "false")
            and (name != "X-POST-MessageClass" or "autoresponder" in value)
        ):
            return "auto_reply", name
    precedence = mime.first(message, "Precedence").lower()
    if precedence.startswith(("auto_reply", "auto-reply")):
        return "auto_reply", "Precedence"
    for part in found.reports:
        return "auto_generated", mime.kind(part)
    if mime.kind(message) == "multipart/report":
        return "auto_generated", "Content-Type: multipart/report"
    for name in ("List-Id", "List-Post", "Mailing-List", "X-MLServer", "X-Mailing-List"):
        value = mime.first(message, name)
        if value:
            # With its value: a shop whose own address is a group gets every customer's letter through a list.
            return "list", f"{name}: {words(value)[:200]}"
    if precedence.startswith("list"):
        return "list", "Precedence"
    if any(mime.first(inner, "X-HmXmrOriginalRecipient") for inner in found.returned):
        return "auto_generated", "X-HmXmrOriginalRecipient of the enclosed letter"
    # Not Feedback-ID: Amazon puts it on everything that a shop's own mail program sends through it.
    if precedence.startswith(("bulk", "junk")):
        return "bulk", "Precedence"
    if mime.first(message, "List-Unsubscribe"):
        return "bulk", "List-Unsubscribe"
    if mime.first(message, "X-Amz-Sns-Message-Id"):
        return "auto_generated", "X-Amz-Sns-Message-Id"
    return None


def _seen(message: Message, subject: str, sender: str) -> tuple[str, str]:
    """What is left when nothing was declared."""
    suppress = mime.first(message, "X-Auto-Response-Suppress").lower()
    null = mime.first(message, "Return-Path") == "<>"
    if _AWAY.match(subject) and not re.match(r"\s*(?:re|回复|답장)\s*[:：]", subject, re.IGNORECASE):
        return "auto_reply", "Subject"
    if _LOCALS_AWAY.match(sender):
        return "auto_reply", "From"
    if "oof" in suppress or "all" in suppress or "autoreply" in suppress:
        return "auto_generated", "X-Auto-Response-Suppress"
    if null:
        return "auto_generated", "Return-Path: <>"
    # Not postmaster: people of small shops write from that address.
    if re.match(r"mail(?:er)?-?daemon@", sender, re.IGNORECASE):
        return "auto_generated", "From: a mail system"
    return "", ""
