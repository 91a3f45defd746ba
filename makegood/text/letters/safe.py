"""The HTML of a letter made safe to show, and readable as plain text."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from html import escape

import nh3

from makegood.text.letters.charsets import clean
from makegood.text.letters.markup import Row, Tag, balanced
from makegood.text.letters.shapes import MAX_TEXT, Part

_TAGS = set(
    "a abbr b big blockquote br caption center cite code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins li ol p pre q s "
    "small span strike strong sub sup table tbody td tfoot th thead tr tt u ul".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "data-src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
    "ol": {"start"},
    "*": {"lang", "dir"},
}
_REMOTE = re.compile(r"(?:https?:)?//[^\s\"'<>]{1,2000}", re.IGNORECASE)
_ENCLOSED = re.compile(r"cid:[^\s\"'<>]{1,900}", re.IGNORECASE)
_DATA = re.compile(r"data:(image/(?:png|jpe?g|gif|webp|bmp));base64,([A-Za-z0-9+/=\s%]{8,})", re.IGNORECASE)
_BLOCKS = frozenset(
    "p div table tr ul ol dl li dt dd h1 h2 h3 h4 h5 h6 pre center form fieldset address article section header footer blockquote hr "
    "caption tbody thead body html".split()
)
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6 ul ol dl pre blockquote".split())
# Containers in which clients put the letter that is answered.
_QUOTES = re.compile(
    r"\b(?:gmail_quote(?:_container)?|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|isReplyContent|replyContent"
    r"|ntes-[\w-]*quote[\w-]*|spark_quote|mail-quote|quoted-mail|original_mail|qmbox-quote)\b"
)
_INVISIBLE = re.compile(r"display\s*:\s*none|font-size\s*:\s*0(?:px|pt)?\s*(?:;|$)|mso-hide\s*:\s*all", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Shown:
    """``html`` safe, ``text`` of the same, pictures that stood inside the markup itself, and whether something was cut."""

    html: str
    text: str
    pictures: tuple[Part, ...]
    cut: bool


def shown(html: str) -> Shown:
    """``html`` (any string) safe and as text. Nothing in the safe form loads anything from elsewhere."""
    row = balanced(html)
    pictures: list[Part] = []
    written = "".join(_written(tag, pictures) for tag in row.tags)
    # nh3 alone decides what is safe; what was written above only bounds its work.
    safe = nh3.clean(
        written,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
    )
    return Shown(clean(safe), as_text(row), tuple(pictures), row.cut)


def _kept(tag: str, name: str, value: str) -> str | None:
    """The second lock: a picture loads from the letter itself only, its far address is kept for when somebody asks."""
    if tag == "img" and name == "src":
        return value if _ENCLOSED.fullmatch(value) else None
    if tag == "img" and name == "data-src":
        return value if value.lower().startswith(("http://", "https://")) and _REMOTE.fullmatch(value) else None
    if tag == "a" and name == "href" and value.lower().lstrip().startswith("cid:"):
        return None
    return value


def _written(tag: Tag, pictures: list[Part]) -> str:
    if tag.kind == "text":
        return escape(tag.name, quote=False)
    if not (tag.name in _TAGS):
        return ""
    if tag.kind == "end":
        return f"</{tag.name}>"
    wanted = _ATTRIBUTES.get(tag.name, set()) | _ATTRIBUTES["*"]
    kept = {key: value for key, value in tag.attributes.items() if key in wanted and key not in ("src", "data-src")}
    if tag.name == "img":
        kept |= _source(tag.attributes.get("src", "").strip(), pictures)
    return f"<{tag.name}" + "".join(f' {key}="{escape(value[:4000])}"' for key, value in kept.items()) + ">"


def _source(address: str, pictures: list[Part]) -> dict[str, str]:
    if _ENCLOSED.fullmatch(address):
        return {"src": address}
    if _REMOTE.fullmatch(address):
        return {"data-src": f"https:{address}" if address.startswith("//") else address}
    data = _DATA.fullmatch(address)
    picture = _unpacked(data[1].lower(), data[2], len(pictures) + 1) if data and len(pictures) < 50 else None
    if picture is None:
        return {}
    pictures.append(picture)
    return {"src": f"cid:{picture.content_id}"}


def _unpacked(content_type: str, coded: str, number: int) -> Part | None:
    """A picture written into the markup itself, as web mailers paste screenshots."""
    try:
        content = base64.b64decode(re.sub(r"[\s%]", "", coded) + "==")
    except (binascii.Error, ValueError):
        return None
    kind = content_type.rpartition("/")[2]
    return Part(f"inline-{number}.{kind}", content_type, content, f"inline-{number}@letter", True)


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
        indent = re.search(r"border(?:-left)?\s*:\s*(?:none|0)", style) and "cite" not in tag.attributes.get("type", "")
        return not indent
    named = f"{tag.attributes.get('id', '')[:200]} {tag.attributes.get('class', '')[:200]}"
    return tag.name in ("div", "section", "table") and bool(named.strip() and _QUOTES.search(named))
