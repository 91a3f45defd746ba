"""What somebody says now, folded out of a letter that also holds what was said before and a signature."""

from __future__ import annotations

import re
from typing import NamedTuple

from makegood.text.letters import marks

_SEEN = 400  # characters of a line that the patterns look at
_FURTHEST = 20_000  # lines; nobody answers below them, and each costs a look
_LONGEST_SIGNATURE = 20  # lines under '-- '
_QUOTED_LINE = re.compile(r"\s{0,3}[>＞]")


class Folded(NamedTuple):
    said: str
    quoted: str
    signature: str


def fold(text: str) -> Folded:
    """``text`` in three parts. ``said`` is empty only when ``text`` is; what lies where is never lost, only moved."""
    lines = text.split("\n")
    own, old = _parted(lines)
    said, signature = _signed(own)
    if not _joined(said):
        # Nothing but a device's line or a signature above the quotation: better that than nothing.
        said, signature = own, []
    if not _joined(said):
        return Folded(text.strip(), "", "")
    return Folded(_joined(said), _joined(old), _joined(signature))


def _joined(lines: list[str]) -> str:
    return "\n".join(lines).strip("\n \t\u3000\u200b")


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """The lines that are new, and those of earlier letters."""
    own: list[str] = []
    old: list[str] = []
    at = 0
    while at < len(lines):
        if at >= _FURTHEST:
            return own + lines[at:], old
        if _QUOTED_LINE.match(lines[at][:8]):
            old.append(lines[at])
            at += 1
            continue
        if _begins_block(lines, at):
            # Under such a head nothing tells where the old letter ends: all of it is old.
            return own, old + lines[at:]
        width = _attribution(lines, at)
        if width:
            follows = _next_filled(lines, at + width)
            if follows is None or not _QUOTED_LINE.match(lines[follows][:8]):
                return own, old + lines[at:]
            # Quoted line by line: what stands below or between is an answer again.
            old += lines[at:follows]
            at = follows
            continue
        own.append(lines[at])
        at += 1
    return own, old


def _next_filled(lines: list[str], at: int) -> int | None:
    for place in range(at, min(at + 6, len(lines))):
        if lines[place].strip():
            return place
    return None


def _begins_block(lines: list[str], at: int) -> bool:
    line = lines[at][:_SEEN].strip()
    if not line:
        return False
    if line[0] in "-_=—–─*[<~" and marks.SEPARATOR.fullmatch(line):
        return True
    if marks.RULE.fullmatch(line):
        follows = _next_filled(lines, at + 1)
        return follows is not None and _is_head(lines, follows)
    return _is_head(lines, at)


def _is_head(lines: list[str], at: int) -> bool:
    """'From: … Sent: … To: …': the sender's line and two more of them, or one more and an address."""
    first = marks.FROM_LINE.fullmatch(lines[at][:_SEEN].strip())
    if not first:
        return False
    labels, values, looked = set(), first["value"], 0
    for line in lines[at + 1 : at + 16]:
        if not line.strip():
            continue
        looked += 1
        found = marks.HEADER_LINE.fullmatch(line[:_SEEN].strip())
        if found:
            labels.add(re.sub(r"\s", "", found["label"].lower()))
            values += " " + found["value"]
        elif looked > 8 or (looked > len(labels) + 3):
            break
    return len(labels) >= 2 or (
        len(labels) == 1 and bool(marks.EVIDENCE.search(values[:_SEEN])) and "@" in values
    )


def _attribution(lines: list[str], at: int) -> int:
    """How many lines, from ``at``, are one 'On … wrote:'; 0 when none. Long ones are wrapped at 76 characters."""
    first = lines[at][:_SEEN].strip()
    if len(first) < 4 or not marks.ATTRIBUTION_BEGINS.match(first):
        return 0
    joined = ""
    for width in (1, 2, 3):
        if at + width > len(lines):
            break
        line = lines[at + width - 1][:_SEEN].strip()
        if not line:
            break
        joined = f"{joined} {line}".strip()
        if len(joined) > _SEEN:
            break
        if not marks.ATTRIBUTION_ENDS.search(joined[-170:]):
            continue
        whole = marks.ATTRIBUTION.fullmatch(joined) or marks.DATED_ADDRESS.fullmatch(joined)
        if whole and marks.EVIDENCE.search(joined):
            return width
    return 0


def _signed(lines: list[str]) -> tuple[list[str], list[str]]:
    """``lines`` without what was signed under them, and that."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    cut = _delimited(lines, end)
    cut = _device(lines, cut)
    cut = _disclaimed(lines, cut)
    # Device lines may stand above a disclaimer as well as below it.
    cut = _device(lines, cut)
    return lines[:cut], lines[cut:end]


def _delimited(lines: list[str], end: int) -> int:
    for place in range(end - 1, max(-1, end - _LONGEST_SIGNATURE - 2), -1):
        if marks.DELIMITER.fullmatch(lines[place][:8]) and any(line.strip() for line in lines[:place]):
            return place
    return end


def _device(lines: list[str], end: int) -> int:
    seen = 0
    for place in range(end - 1, max(-1, end - 12), -1):
        line = lines[place].strip()
        if not line:
            continue
        seen += 1
        if len(line) <= 120 and marks.SENT_WITH.fullmatch(line):
            return place
        if seen >= 3:
            break
    return end


def _disclaimed(lines: list[str], end: int) -> int:
    for place in range(end - 1, max(-1, end - 25), -1):
        begins = (
            place == 0
            or not lines[place - 1].strip()
            or marks.RULE.fullmatch(lines[place - 1].strip()[:_SEEN])
        )
        if (
            begins
            and marks.DISCLAIMER.match(lines[place][:_SEEN])
            and any(line.strip() for line in lines[:place])
        ):
            return place
    return end


def unflow(text: str, delsp: bool) -> str:
    """format=flowed (RFC 3676): lines that end in a blank continue; quoting and '-- ' keep theirs."""
    out: list[list[str]] = []
    depth_open = -1
    for line in text.split("\n"):
        marked = re.match(r">{0,50}", line)
        depth = marked.end() if marked else 0
        body = line[depth:].removeprefix(" ")
        flows = body.endswith(" ") and body != "-- "
        kept = body[:-1] if flows and delsp else body
        if depth_open == depth and body != "-- ":
            out[-1].append(kept)
        else:
            out.append([">" * depth + " " if depth else "", kept])
        depth_open = depth if flows else -1
    return "\n".join("".join(pieces) for pieces in out)
