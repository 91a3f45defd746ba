"""The HTML of a letter as a bounded row of tags and texts: nothing nests deeper, repeats wilder or loads from outside.

Why not straight into nh3: its tree builder is quadratic in depth (200,000 open <div> take it three minutes) and repeats
every open <font> for every <p>. The row that leaves here is balanced, shallow and quoted; nh3 then decides what is safe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

MAX_TAGS = 60_000
_MAX_OPEN = 100
_MAX_STYLES = 20
_NAME = re.compile(r"[a-zA-Z][^\s/>\x00<]{0,40}")
_TURN = re.compile(r"[>\"']")
_ATTRIBUTE = re.compile(r"([^\s=\"'<>/]{1,60})(?:\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_SILENT = frozenset(
    (
        "style",
        "script",
        "title",
        "head",
        "noscript",
        "template",
        "iframe",
        "object",
        "svg",
        "math",
        "xml",
        "select",
    )
)
VOID = frozenset(
    (
        "br",
        "hr",
        "img",
        "input",
        "meta",
        "link",
        "base",
        "col",
        "wbr",
        "area",
        "embed",
        "source",
        "track",
        "param",
        "bgsound",
    )
)
STYLES = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u", "span"]
)
# A new one of these ends the one before it, as far as the nearest container.
_ENDS = {"p": "p", "li": "li", "td": "td", "th": "td", "tr": "tr", "dd": "dd", "dt": "dd", "option": "option"}
_CONTAINERS = frozenset(("table", "ul", "ol", "dl", "div", "blockquote", "td", "th", "body"))


class Tag(NamedTuple):
    """``kind`` is 'start', 'end', 'void' or 'text'; ``name`` the tag in lower case, or the text, entities resolved."""

    kind: str
    name: str
    attributes: dict[str, str]


def tokens(html: str) -> Iterator[Tag]:
    """Tags and texts of ``html`` in one linear pass; comments, declarations and what is never shown are left out."""
    at, quotes, end = 0, True, len(html)
    unclosed: set[str] = set()
    while at < end:
        opened = html.find("<", at)
        if opened < 0:
            break
        if opened > at:
            yield Tag("text", unescape(html[at:opened]), {})
        if html.startswith("<!--", opened):
            closed = html.find("-->", opened + 4)
            # An unclosed comment is only its own mark: swallowing the rest would lose what somebody wrote.
            at = closed + 3 if closed >= 0 else opened + 4
            html = html if closed >= 0 else html.replace("<!--", "<!  ")
            continue
        if html.startswith(("<!", "<?"), opened):
            at = _next(html, opened)
            continue
        named = _NAME.match(html, opened + 2 if html.startswith("</", opened) else opened + 1)
        if not named:
            yield Tag("text", "<", {})
            at = opened + 1
            continue
        closed = _closing(html, named.end()) if quotes else html.find(">", named.end())
        if closed < 0 and quotes:
            quotes, closed = False, html.find(">", named.end())
        if closed < 0:
            yield Tag("text", unescape(html[opened:]), {})
            return
        tag = _tag(html, opened, named, closed)
        at = closed + 1
        if tag.kind == "start" and tag.name in _SILENT and tag.name not in unclosed:
            over = re.compile(f"</{tag.name}[^>]{{0,99}}>", re.IGNORECASE).search(html, at)
            if over:
                at = over.end()
                continue
            # Without its end tag a style would hide the whole letter; looked for once, not once a tag.
            unclosed.add(tag.name)
        if tag.name not in _SILENT:
            yield tag
    if at < end:
        yield Tag("text", unescape(html[at:]), {})


def _next(html: str, at: int) -> int:
    closed = html.find(">", at)
    return closed + 1 if closed >= 0 else len(html)


def _closing(html: str, at: int) -> int:
    """Where the tag ends, '>' inside quotes passed over; -1 when a quote never ends."""
    while True:
        turn = _TURN.search(html, at)
        if turn is None:
            return -1
        if turn[0] == ">":
            return turn.start()
        at = html.find(turn[0], turn.end()) + 1
        if not at:
            return -1


def _tag(html: str, opened: int, named: re.Match[str], closed: int) -> Tag:
    name = named[0].lower()
    if html[opened + 1] == "/":
        return Tag("end", name, {})
    attributes: dict[str, str] = {}
    if closed > named.end():
        for key, one, two, three in _ATTRIBUTE.findall(
            html[named.end() : min(closed, named.end() + 2_000_000)]
        ):
            attributes.setdefault(key.lower(), unescape(one or two or three)[:2_000_000])
            if len(attributes) > 40:
                break
    return Tag("void" if name in VOID else "start", name, attributes)


class Row(NamedTuple):
    tags: list[Tag]
    cut: bool  # something was left out: too deep, too many


def balanced(html: str) -> Row:
    """The tags of ``html``, each start with its end, at most 100 open."""
    out: list[Tag] = []
    stack: list[str] = []
    cut = False
    for tag in tokens(html):
        if len(out) > MAX_TAGS:
            return Row(out + [Tag("end", name, {}) for name in reversed(stack)], True)
        if tag.kind in ("text", "void"):
            out.append(tag)
        elif tag.kind == "end":
            _end(tag.name, stack, out)
        else:
            cut |= not _start(tag, stack, out)
    return Row(out + [Tag("end", name, {}) for name in reversed(stack)], cut)


def _start(tag: Tag, stack: list[str], out: list[Tag]) -> bool:
    group = _ENDS.get(tag.name)
    for name in reversed(stack) if group else ():
        if _ENDS.get(name) == group:
            _end(name, stack, out)
            break
        if name in _CONTAINERS:
            break
    if len(stack) >= _MAX_OPEN or (
        tag.name in STYLES and sum(name in STYLES for name in stack) >= _MAX_STYLES
    ):
        return False
    stack.append(tag.name)
    out.append(tag)
    return True


def _end(name: str, stack: list[str], out: list[Tag]) -> None:
    if name == "p" and name not in stack:
        out.append(Tag("void", "br", {}))
    if name not in stack:
        return
    while stack:
        closed = stack.pop()
        out.append(Tag("end", closed, {}))
        if closed == name:
            return
