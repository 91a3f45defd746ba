"""Files that came with messages, for staff and merchants: only through their case, and only with their message."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from makegood.base.errors import NotThere
from makegood.cases.access import cases_for
from makegood.people import actors
from makegood.web.customer_files import attachment_of, given_out


@login_required
@require_safe
def attachment(request: HttpRequest, attachment_id: int) -> HttpResponseBase:
    """One file, for who may see its case and read its message; the customer's own page has its own address."""
    by = actors.user(request.user)  # type: ignore[arg-type]
    case = cases_for(by).filter(attachments=attachment_id).first()
    if case is None:
        raise NotThere("no_file", _("There is no such file."))
    response = given_out(attachment_of(case, by, attachment_id))
    response["Cache-Control"] = "private, no-store"
    return response
