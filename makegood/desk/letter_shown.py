"""A letter as it was sent: its html, made safe when it came in, as a document for a frame that can do nothing. Reading only.

Enclosed pictures are written into the document; pictures from elsewhere tell their owner when and where the letter is
read, so they are loaded only when somebody asks.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from html import escape
from urllib.parse import unquote

from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotThere
from makegood.cases.access import cases_for
from makegood.cases.models import Case
from makegood.conversations.messages import PICTURES, readable_by
from makegood.conversations.models import Attachment, Blob, Message
from makegood.people.actors import Actor

_ENCLOSED = re.compile(r'(<img\b[^>]*?\s)src="cid:([^"]*)"', re.IGNORECASE)
_REMOTE = re.compile(r'(<img\b[^>]*?\s)data-src="', re.IGNORECASE)
#: All enclosed pictures of one letter, in bytes.
_MOST = 12 * 2**20
_PAGE = (
    '<!doctype html><html><head><meta charset="utf-8">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}\">"
    '<meta name="referrer" content="no-referrer"><base target="_blank">'
    "<style>body{{font:15px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;margin:12px;overflow-wrap:anywhere}}"
    "img{{max-width:100%;height:auto}}table{{max-width:100%}}</style></head><body>{html}</body></html>"
)


@dataclass(frozen=True)
class Shown:
    """``document``: a whole html page. ``waiting``: pictures from elsewhere that are not loaded."""

    message: Message
    case: Case
    document: str
    waiting: int


def shown(by: Actor, message_id: int, *, pictures: bool) -> Shown:
    """The letter of a message that this person may read; raises NotThere."""
    found = Message.objects.select_related("case").filter(pk=message_id).exclude(html="").first()
    case = cases_for(by).filter(pk=found.case_id).first() if found else None
    if found is None or case is None or not readable_by(by, case).filter(pk=message_id).exists():
        raise NotThere("no_letter", _("There is no such letter."))
    html = _ENCLOSED.sub(_Enclosed(found), found.html)
    waiting = len(_REMOTE.findall(html))
    if pictures:
        html, waiting = _REMOTE.sub(r'\1src="', html), 0
    allowed = "data: https: http:" if pictures else "data:"
    return Shown(found, case, _PAGE.format(pictures=allowed, html=html), waiting)


class _Enclosed:
    """Writes each enclosed picture into the document, once it is found among the message's files."""

    def __init__(self, message: Message) -> None:
        files = Attachment.objects.filter(message=message, content_type__in=PICTURES).exclude(content_id="")
        self.files = {file.content_id: file for file in files}
        self.left = _MOST

    def __call__(self, found: re.Match[str]) -> str:
        file = self.files.get(unquote(found[2])) or self.files.get(found[2])
        if file is None or file.size > self.left:
            return f'{found[1]}title="{escape(found[2])}"'
        self.left -= file.size
        content = bytes(Blob.objects.values_list("content", flat=True).get(pk=file.pk))
        return f'{found[1]}src="data:{file.content_type};base64,{base64.b64encode(content).decode()}"'
