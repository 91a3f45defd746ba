"""Files that came with messages: only through their case, only for who may read the message, never run as a page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from makegood.base.errors import NotThere
from makegood.cases.access import cases_for
from makegood.conversations.messages import readable_by
from makegood.conversations.models import Attachment, Blob
from makegood.desk.sheet_words import SAFE_IMAGES
from makegood.people import actors
from makegood.people.actors import Actor


def attachment_for(actor: Actor, attachment_id: int) -> Attachment:
    """The attachment, for who may see its case and read its message; else NotThere."""
    found = Attachment.objects.select_related("case").filter(pk=attachment_id).first()
    gone = NotThere("no_file", _("There is no such file."))
    if found is None or not cases_for(actor).filter(pk=found.case_id).exists():
        raise gone
    if not readable_by(actor, found.case).filter(pk=found.message_id).exists():
        raise gone
    return found


def file_response(found: Attachment) -> HttpResponse:
    """The bytes, so that no browser runs them: a safe picture may be shown, everything else is saved."""
    inline = found.content_type in SAFE_IMAGES
    response = HttpResponse(
        bytes(Blob.objects.values_list("content", flat=True).get(pk=found.pk)),
        content_type=found.content_type if inline else "application/octet-stream",
    )
    response["Content-Disposition"] = content_disposition_header(not inline, found.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_safe
def attachment(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """Staff and merchants read a file here; the customer's own page has its own address."""
    return file_response(attachment_for(actors.user(request.user), attachment_id))  # type: ignore[arg-type]
