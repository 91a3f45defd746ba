"""Files that people send us and read again: taken in within limits, given out so that no browser runs them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _

from makegood.base.errors import NotThere, Refusal
from makegood.base.words import file_name
from makegood.cases.models import Case
from makegood.conversations.messages import PICTURES, Upload, readable_by
from makegood.conversations.models import Attachment, Blob
from makegood.people.actors import Actor

MOST = 10


def uploads(request: HttpRequest) -> list[Upload]:
    """The files of a form's field 'files'. Raises Refusal beside it when there are too many or one is too large."""
    sent = request.FILES.getlist("files")
    if len(sent) > MOST:
        raise Refusal(
            "too_many_files", _("At most %(most)s files at a time.") % {"most": MOST}, field="files"
        )
    for file in sent:
        # Before reading: a file that is too large must not be pulled into memory to find out.
        if (file.size or 0) > settings.ATTACHMENT_BYTES:
            raise Refusal(
                "file_too_large",
                _("%(name)s is too large: at most %(limit)s MB a file.")
                % {"name": file_name(file.name or ""), "limit": settings.ATTACHMENT_BYTES // 2**20},
                field="files",
            )
    return [Upload(f.name or "", f.content_type or "application/octet-stream", f.read()) for f in sent]


def attachment_of(case: Case, by: Actor, attachment_id: int) -> Attachment:
    """The file, when it hangs on a message of this case that ``by`` may read; else NotThere."""
    found = Attachment.objects.filter(pk=attachment_id, message__in=readable_by(by, case)).first()
    if found is None:
        raise NotThere("no_file", _("There is no such file."))
    return found


def given_out(found: Attachment) -> HttpResponse:
    """The bytes: a safe picture may be shown, everything else is saved; neither can run or reach anything."""
    picture = found.content_type in PICTURES
    response = HttpResponse(
        bytes(Blob.objects.values_list("content", flat=True).get(pk=found.pk)),
        content_type=found.content_type if picture else "application/octet-stream",
    )
    response["Content-Disposition"] = content_disposition_header(not picture, found.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
