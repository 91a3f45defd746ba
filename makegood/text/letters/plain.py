"""The HTML of a letter as plain text: what a person would read, quotations marked as plain letters mark them."""

from __future__ import annotations

import re

from makegood.text.letters.charsets import clean
from makegood.text.letters.markup import Row, Tag
from makegood.text.letters.shapes import MAX_TEXT

_BLOCKS = frozenset(
    [
        "p",
        "div",
        "table",
        "tr",
        "ul",
        "ol",
        "dl",
        "li",
        "dt",
        "dd",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "center",
        "form",
        "fieldset",
        "address",
        "article",
        "section",
        "header",
        "footer",
        "blockquote",
        "hr",
        "caption",
        "tbody",
        "thead",
        "body",
        "html",
    ]
)
_SPACED = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "pre", "blockquote"])
# Containers in which clients put the letter that is answered.
_QUOTES = re.compile(
    r"\b(?:gmail_quote(?:_container)?|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|isReplyContent|replyContent"
    r"|ntes-[\w-]*quote[\w-]*|spark_quote|mail-quote|quoted-mail|original_mail|qmbox-quote)\b"
)
_INVISIBLE = re.compile(
    r"display\s*:\s*none|font-size\s*:\s*0(?:px|pt)?\s*(?:;|$)|mso-hide\s*:\s*all", re.IGNORECASE
)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def as_text(row: Row) -> str:
    """What a person reads: a line a block, list points, quoted containers with '> ' as plain letters have them."""
    page = _Page()
    for tag in row.tags:
        page.take(tag)
    return clean(page.text())


class _Page:
    """Lines growing under the tags that pass."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.prefix = ""
        self.kept = 0  # open <pre>
        self.length = 0
        self.open: list[tuple[str, bool, bool]] = []  # name, is a quotation, is invisible
        self.hidden = 0

    def take(self, tag: Tag) -> None:
        if tag.kind == "text":
            if not self.hidden:
                self.write(tag.name)
        elif tag.name == "br":
            self.turn(force=True)
        elif tag.kind == "void":
            self.void(tag)
        elif tag.kind == "start":
            self.start(tag)
        else:
            self.end(tag)

    def write(self, text: str) -> None:
        if self.length > MAX_TEXT:
            return
        text = text.replace("\xa0", " ").replace("\u200b", "").replace("\ufeff", "")
        if self.kept:
            first, *others = text.replace("\r\n", "\n").split("\n")
            self.line.append(first)
            for other in others:
                self.turn(force=True)
                self.line.append(other)
        else:
            text = _SPACES.sub(" ", text)
            self.line.append(text.lstrip() if not self.line or self.line[-1].endswith(" ") else text)
        self.length += len(text)

    def turn(self, force: bool = False) -> None:
        """Begin a new line; an empty one only when it was asked for."""
        text = "".join(self.line).rstrip()
        if text or force:
            self.lines.append(f"{self.prefix}{text}".rstrip() if self.prefix else text)
            self.length += len(self.prefix) + 1
        self.line = []

    def gap(self) -> None:
        self.turn()
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(self.prefix.rstrip())

    def void(self, tag: Tag) -> None:
        if tag.name == "hr":
            self.turn()
        elif tag.name == "img" and 0 < len(tag.attributes.get("alt", "")) <= 4 and not self.hidden:
            self.write(tag.attributes["alt"])  # an emoji sent as a picture

    def start(self, tag: Tag) -> None:
        style = tag.attributes.get("style", "")[:500]
        hidden = bool(style and _INVISIBLE.search(style))
        quote = _is_quote(tag, style)
        self.open.append((tag.name, quote, hidden))
        self.hidden += hidden
        if quote or tag.name in _SPACED:
            self.gap()
        elif tag.name in _BLOCKS:
            self.turn()
        if quote and len(self.prefix) < 20:
            self.prefix += "> "
        self.kept += tag.name == "pre"
        if tag.name == "li":
            self.line.append("- ")

    def end(self, tag: Tag) -> None:
        name, quote, hidden = self.open.pop() if self.open else (tag.name, False, False)
        if name in ("td", "th"):
            self.write(" ")
        if name in _BLOCKS or quote:
            self.turn()
        if quote:
            self.prefix = "> " * (sum(quoted for _, quoted, _ in self.open[-_DEEPEST:]))
        if name in _SPACED or quote:
            self.gap()
        self.hidden -= hidden
        self.kept -= name == "pre"

    def text(self) -> str:
        self.turn()
        return _BLANK_LINES.sub("\n\n", "\n".join(self.lines)).strip("\n")[: MAX_TEXT + 1]


_DEEPEST = 100


def _is_quote(tag: Tag, style: str) -> bool:
    if tag.name == "blockquote":
        # Gmail's and Outlook's 'indent' button makes a blockquote as well, without a border.
        indent = re.search(r"border(?:-left)?\s*:\s*(?:none|0)", style) and "cite" not in tag.attributes.get(
            "type", ""
        )
        return not indent
    named = f"{tag.attributes.get('id', '')[:200]} {tag.attributes.get('class', '')[:200]}"
    return tag.name in ("div", "section", "table") and bool(named.strip() and _QUOTES.search(named))
