"""Delivery reports: which letter did not arrive, at which address, and whether trying again could help.

First what RFC 3464 says, then X-Failed-Recipients, then the text itself. Checked against Sisimai's reading of its own collection: docs/mechanisms/letters-in.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import Message

from makegood.text.letters import mime, walking
from makegood.text.letters.charsets import clean
from makegood.text.letters.headers import addresses, message_id, message_ids, words
from makegood.text.letters.shapes import Bounce

_MAX = 100  # recipients
_SEEN = 60_000  # characters of text that are searched
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_SMTP = re.compile(r"(?<![\d.-])([45]\d\d)(?=[ \-#](?!\d\d))")
_TYPED = re.compile(r"^\s*(?:[\w-]{1,20}\s*;)?\s*(.*)$", re.DOTALL)
_PLAIN = re.compile(r"(?<![\w.@<=+-])([\w.+=&'/-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6})")
# A line that begins with the address, as lists of failed recipients have it.
_LINE = re.compile(
    r"^[ \t*>•-]{0,8}(?:[45]\d\d )?[<\"]?([\w.+=&'/-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6})[>\"]?(?=[\s:;,.(\[]|$)",
    re.MULTILINE,
)
# The fields of RFC 3464 in a report whose parts were damaged, so that they came as text.
_FIELD = re.compile(
    r"^(?:Final|Original)-Recipient:[ \t]{0,9}(?:rfc822;)?[ \t]{0,9}<?([^\s<>;]{1,64}@[^\s<>;]{1,200})",
    re.MULTILINE | re.IGNORECASE,
)
_SERVICE = re.compile(r"(?:postmaster|mailer-daemon|abuse|help-?desk|support|admin|info)@", re.IGNORECASE)
_INLINE_ID = re.compile(
    r"^[>| \t]{0,6}Message-I[dD]:[ \t]*\r?\n?[ \t]*(<[^<>\s]{3,400}>)", re.MULTILINE | re.IGNORECASE
)
_INLINE_TO = re.compile(r"^[>| \t]{0,6}To:[ \t]*([^\n]{3,400})", re.MULTILINE)
_BEGINS = re.compile(
    r"^[>\s*=~_|-]{0,12}(?:.{0,25}(?:original message(?! was| is)|bounced e-?mail|copy of (?:the|your) message|message (?:headers|text) follows?|unsent message|undelivered message"
    r"|returned (?:message|mail)|original (?:mail|headers?)|received:|return-path:).{0,80})$",
    re.IGNORECASE | re.MULTILINE,
)
_DELAYED = re.compile(
    r"will (?:be retried|keep trying|continue to try|retry)|(?:has|have) been delayed|delivery (?:is |has been )?delayed|not yet been delivered"
    r"|still (?:being )?(?:retr|try|undelivered)|warning: message|this is a warning message only|you do not need to resend|no action is required",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(?:mail ?box|mail ?folder|quota|account|storage|inbox|disk|mail ?drop).{0,40}(?:full|exceed|over|limit)|over ?(?:the )?quota|quota (?:exceeded|violation)|not enough (?:storage|space)"
    r"|insufficient (?:system )?(?:storage|space|disk)|메일함.{0,20}(?:초과|가득)|용량.{0,10}초과|(?:邮箱|信箱).{0,6}(?:已满|满|容量)|容量(?:不足|已满)",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"(?:user|recipient|mailbox|address|account|host|domain|addressee).{0,60}(?:unknown|not found|does not exist|doesn't exist|disabled|inactive|no longer|not exist|invalid|rejected|unavailable|not listed|unrouteable)"
    r"|not recognized|no valid recipients|check if (?:the )?address|(?:unknown|invalid) .{0,20}(?:user|recipient)"
    r"|no such (?:user|mailbox|person|recipient|address|domain)|(?:unknown|invalid|bad|illegal) (?:user|recipient|mailbox|address|host|domain|destination)|unrouteable"
    r"|permanent (?:fatal )?(?:error|failure)|(?:given|giving) up|not our customer|host not found|사용자.{0,10}(?:없|존재하지)|(?:用户|收件人|地址).{0,6}不存在",
    re.IGNORECASE,
)
# Full (5.2.2) and too big (5.2.3, 5.3.4) say nothing against the address: another letter may well arrive.
_PASSING = ("5.2.2", "5.2.3", "5.3.4")


def read(message: Message, found: walking.Found, text: str, raw: bytes) -> tuple[Bounce, bool]:
    """The report in ``message`` (whose source is ``raw``, its readable body ``text``), and whether there is one at all.

    A letter of a mail system in no known form still gives what can be had, mostly the id of the letter that came back.
    """
    groups = [
        group
        for part in found.reports
        if mime.kind(part).endswith("delivery-status")
        for group in _groups(part)
    ]
    named = _reported(groups)
    body = text[:_SEEN]
    cut = _BEGINS.search(body)
    said = body[: cut.start()] if cut and cut.start() > 20 else body
    original = found.returned[0] if found.returned else None
    recipients = (
        named
        or _failed(message)
        or _foreign(_FIELD.findall(body), set())
        or _from_text(said, message, original, body)
    )
    status, diagnostic = _status(groups, said)
    action = " ".join(value.lower() for group in groups for value in mime.values(group, "Action"))
    report = Bounce(
        for_good=_for_good(action, status, f"{diagnostic} {said[:4000]}"),
        recipients=recipients,
        status=status,
        diagnostic=clean(diagnostic)[:1000],
        original_message_id=_original_id(found.returned, body, message, raw),
        original_to=_original_to(original, body),
    )
    return report, bool(recipients or groups or status)


def _groups(part: Message) -> list[Message]:
    groups = mime.inside(part)
    if groups is not None:
        return groups[: _MAX + 1]
    # Sent as base64 or without blank lines between: one group is still better than none.
    return [mime.parse(mime.content(part, {}), {})]


def _reported(groups: list[Message]) -> tuple[str, ...]:
    out: dict[str, None] = {}
    for group in groups:
        action = mime.first(group, "Action").lower()
        if action and not action.startswith(
            ("failed", "delayed", "expanded", "fail", "undeliv", "error", "denied")
        ):
            continue  # delivered, relayed: nothing is wrong there
        # Several in one group: some systems forget the blank line between their groups.
        named = [
            hits
            for name in ("Final-Recipient", "Original-Recipient", "X-Actual-Recipient")
            if (hits := _typed(group, name))
        ]
        # 'name@server' is an alias inside the far system; the address that was written to stands in the next field.
        full = [hits for hits in named if "." in hits[0].rpartition("@")[2]]
        out.update(dict.fromkeys((full or named or [[]])[0]))
    return tuple(out)[:_MAX]


def _typed(group: Message, name: str) -> list[str]:
    hits = (_TYPED.match(value[:500]) for value in mime.values(group, name)[:_MAX])
    return [email for hit in hits if hit and (email := _one(hit[1]))]


def _one(value: str) -> str:
    hit = addresses([value.strip()])
    return hit[0].email if hit else ""


def _failed(message: Message) -> tuple[str, ...]:
    return _unique(address.email for address in addresses(mime.values(message, "X-Failed-Recipients")))


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(email for email in found if email))[:_MAX]


def _from_text(said: str, message: Message, original: Message | None, body: str) -> tuple[str, ...]:
    """Addresses in the report's own words, without those of the systems and of the one who is told."""
    own = {
        address.email.lower()
        for name in ("From", "To", "Reply-To", "Return-Path", "Delivered-To")
        for address in addresses(mime.values(message, name))
    }
    lines = [hit for hit in _LINE.findall(said) if hit]
    # Somebody may have written to themselves; a line that begins with an address means that one.
    leading = _foreign(lines, own) or _foreign(lines, set())
    if leading:
        return leading
    likely = _foreign(_PLAIN.findall(said.replace("<", " ")), own)
    if likely:
        return likely[:1]
    returned = _unique(_original_to(original, body))
    return tuple(email for email in returned if email.lower() not in own)[:1] or returned[:1]


def _foreign(hits: list[str], own: set[str]) -> tuple[str, ...]:
    found = _unique(map(_one, hits))
    return tuple(email for email in found if email.lower() not in own and not _SERVICE.match(email))


def _status(groups: list[Message], said: str) -> tuple[str, str]:
    status, diagnostic = "", ""
    for group in groups:
        action = mime.first(group, "Action").lower()
        hit = _STATUS.search(mime.first(group, "Status"))
        code = words(mime.first(group, "Diagnostic-Code"))
        typed = _TYPED.match(code)
        if hit and (not status or action.startswith("failed")):
            status, diagnostic = hit[1], (typed[1] if typed else code) or diagnostic
        diagnostic = diagnostic or (typed[1] if typed else code)
    inner = _STATUS.search(diagnostic)
    if inner and (not status or status.endswith(".0.0")):
        # '5.0.0' is what a relay writes that did not look; the answer it quotes knows more.
        status = inner[1]
    if not status:
        hit = _STATUS.search(said)
        status = hit[1] if hit else ""
    if not diagnostic:
        line = next(
            (line.strip() for line in said.split("\n") if _SMTP.search(line) or _STATUS.search(line)), ""
        )
        diagnostic = line
    return status, diagnostic


def _for_good(action: str, status: str, words_said: str) -> bool:
    if "failed" not in action and "delayed" in action:
        return False
    if status.startswith("4") or status in _PASSING or _FULL.search(words_said[:4000]):
        return False
    if status.startswith("5"):
        return True
    if not status and _DELAYED.search(words_said):
        return False
    code = _SMTP.search(words_said)
    if code and not _GONE.search(words_said):
        return code[1].startswith("5")
    return "failed" in action or bool(_GONE.search(words_said))


def _original_id(returned: list[Message], body: str, message: Message, raw: bytes) -> str:
    for original in returned:
        found = message_id(mime.values(original, "Message-ID"))
        if found:
            return found
    own, again = message_id(mime.values(message, "Message-ID")), ""
    # A report whose parts were damaged on the way still has the lines of the letter somewhere in its source.
    for source in (
        body,
        raw[raw.find(b"\n\n") + 1 :][: _SEEN * 5].decode("latin-1"),
        raw[-_SEEN:].decode("latin-1"),
    ):
        for inline in _INLINE_ID.finditer(source):
            found = next(iter(message_ids([inline[1]])), "")
            if found and found != own:
                return found
            again = again or (found if source is body else "")
    if again:
        return again
    # Exchange and others name the letter only where an answer would.
    named = message_ids(mime.values(message, "In-Reply-To") + mime.values(message, "References")[-1:])
    return named[-1] if named else ""


def _original_to(original: Message | None, body: str) -> tuple[str, ...]:
    if original is not None and mime.first(original, "To"):
        return tuple(address.email for address in addresses(mime.values(original, "To")) if address.email)
    begins = _BEGINS.search(body)
    inline = _INLINE_TO.search(body, begins.start() if begins else 0)
    return tuple(address.email for address in addresses([inline[1]]) if address.email) if inline else ()
