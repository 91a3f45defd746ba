"""The HTML of a letter made safe to show."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from html import escape

import nh3

from makegood.text.letters.charsets import clean
from makegood.text.letters.markup import Tag, balanced
from makegood.text.letters.plain import as_text
from makegood.text.letters.shapes import Part

_TAGS = {
    "a",
    "abbr",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
}
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
        return (
            value if value.lower().startswith(("http://", "https://")) and _REMOTE.fullmatch(value) else None
        )
    if tag == "a" and name == "href" and value.lower().lstrip().startswith("cid:"):
        return None
    return value


def _written(tag: Tag, pictures: list[Part]) -> str:
    if tag.kind == "text":
        return escape(tag.name, quote=False)
    if tag.name not in _TAGS:
        return ""
    if tag.kind == "end":
        return f"</{tag.name}>"
    wanted = _ATTRIBUTES.get(tag.name, set()) | _ATTRIBUTES["*"]
    kept = {
        key: value
        for key, value in tag.attributes.items()
        if key in wanted and key not in ("src", "data-src")
    }
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
