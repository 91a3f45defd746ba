"""Letters that a mail provider pushes: by django-anymail's readers of what each provider sends, or as plain MIME.

The raw letter is stored and committed before 200 is said; any other answer makes the provider try again. Without a
secret a route is not there (404): an open one would let anybody write letters in anybody's name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
from email.message import EmailMessage
from typing import Any

from anymail.webhooks.base import AnymailCoreWebhookView
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.crypto import constant_time_compare
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from makegood.base import clock
from makegood.conversations.models import Mailbox
from makegood.desk import receiving
from makegood.desk.letter_place import mailbox_of
from makegood.text.letters import Unreadable, read

log = logging.getLogger("makegood.mail")

#: A pushed letter comes in base64 or as a form, so it is larger than the letter.
MOST = receiving.LIMIT * 3 // 2
#: How far the time in a signature may be from ours, in seconds: an old request that somebody caught is not taken again.
TOLERANCE = 300
PROVIDERS = {
    "brevo": "anymail.webhooks.brevo.BrevoInboundWebhookView",
    "mailersend": "anymail.webhooks.mailersend.MailerSendInboundWebhookView",
    "mailgun": "anymail.webhooks.mailgun.MailgunInboundWebhookView",
    "mailgun_mime": "anymail.webhooks.mailgun.MailgunInboundWebhookView",
    "mailjet": "anymail.webhooks.mailjet.MailjetInboundWebhookView",
    "mandrill": "anymail.webhooks.mandrill.MandrillCombinedWebhookView",
    "postal": "anymail.webhooks.postal.PostalInboundWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkInboundWebhookView",
    "sendgrid": "anymail.webhooks.sendgrid.SendGridInboundWebhookView",
    "sparkpost": "anymail.webhooks.sparkpost.SparkPostInboundWebhookView",
}


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def provider(request: HttpRequest, provider: str) -> HttpResponse:
    """A letter as one provider pushes it; HEAD is how some ask whether we are here."""
    if not settings.ANYMAIL.get("WEBHOOK_SECRET") or provider not in PROVIDERS:
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()
    body = _body(request)
    if body is None:
        return HttpResponse("too large", status=413)
    # Anymail sends what it read by a Django signal; the house has none, so its reader is asked directly.
    view: AnymailCoreWebhookView = import_string(PROVIDERS[provider])()
    view.setup(request)
    whole = _as_read(request, body)
    view.run_validators(request)
    letters = [e.message for e in view.parse_events(request) if e.event_type == "inbound"]
    return _answer([_store(whole or _raw_of(m), m.envelope_recipient or "") for m in letters])


@csrf_exempt
@require_POST
def raw(request: HttpRequest) -> HttpResponse:
    """A letter as plain MIME from anybody who signs it (standardwebhooks.com: webhook-id, -timestamp, -signature).

    ``?to=`` names the address that it was sent to; without it the letter's own lines say.
    """
    if not settings.LETTER_WEBHOOK_SECRET:
        raise Http404
    body = _body(request)
    if body is None or len(body) > receiving.LIMIT:
        return HttpResponse("too large", status=413)
    if not signed(request, body):
        return HttpResponse("bad signature", status=401)
    return _answer([_store(body, request.GET.get("to", "")[:254])])


def signed(request: HttpRequest, body: bytes) -> bool:
    """Whether one of the signatures is ours, over id, time and body, and the time is near."""
    name, at = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    if not (name and at.isascii() and at.isdigit() and len(at) < 13):
        return False
    if abs(clock.now().timestamp() - int(at)) > TOLERANCE:
        return False
    made = hmac.new(_key(), f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(made).decode()
    return any(constant_time_compare(s, wanted) for s in request.headers.get("webhook-signature", "").split())


def _key() -> bytes:
    secret = settings.LETTER_WEBHOOK_SECRET
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()  # a plain passphrase, as people set one


def _body(request: HttpRequest) -> bytes | None:
    """All that was sent, read past the limit for forms (a letter may be larger); None beyond our own limit."""
    body = request.read(MOST + 1)
    return None if len(body) > MOST else body


def _as_read(request: HttpRequest, body: bytes) -> bytes:
    """Hand the body to Django as already read: its own reading of a form would refuse a letter of over 4 MB.

    Returns the raw letter where the form holds it: its bytes as they are, which a form's text could not keep.
    """
    made: Any = request
    made._body = body
    kind, options = parse_header_parameters(request.headers.get("Content-Type", ""))
    if kind == "multipart/form-data":
        made._post, made._files, whole = form_of(body, str(options.get("boundary", "")))
        return whole
    if kind == "application/x-www-form-urlencoded":
        made._post, made._files = QueryDict(body, encoding="utf-8"), MultiValueDict()
    return b""


#: In which field of a form Mailgun and SendGrid send a letter as it came.
_WHOLE = ("body-mime", "email")


def form_of(body: bytes, boundary: str) -> tuple[QueryDict, MultiValueDict[str, Any], bytes]:
    """The fields and files of a multipart form, byte for byte, and the raw letter in it (b'' when it holds none)."""
    post, files, whole = QueryDict(mutable=True), MultiValueDict[str, Any](), b""
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii", "ignore"))[1:200]:
        if piece.startswith(b"--") or not boundary:
            break
        head, _gap, content = piece.partition(b"\r\n\r\n")
        lines = [line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n")]
        headers = {name.strip().lower(): value.strip() for name, _colon, value in lines}
        _kind, options = parse_header_parameters(headers.get("content-disposition", ""))
        name = str(options.get("name", ""))
        if "filename" in options:
            kind = headers.get("content-type", "application/octet-stream")
            files.appendlist(name, SimpleUploadedFile(str(options["filename"]) or "file", content, kind))
        else:
            post.appendlist(name, content.decode("utf-8", "replace"))
            whole = content if name in _WHOLE else whole
    return post, files, whole


def _raw_of(message: Any) -> bytes:
    """The letter as bytes; a provider's verdict of spam is written above it, where the policy's rules look."""
    raw = EmailMessage.as_bytes(message, policy=message.policy.clone(refold_source="none"))
    return b"X-Spam-Flag: YES\n" + raw if message.spam_detected else raw


def _store(raw: bytes, to: str) -> bool:
    names = [to] if to else _named(raw)
    mailbox = next((box for name in names if (box := mailbox_of(name))), None)
    if mailbox is None:
        return False
    receiving.take_in(raw, way=Mailbox.Way.WEBHOOK, mailbox=mailbox, envelope_to=to)
    return True


def _named(raw: bytes) -> list[str]:
    """The addresses that the letter itself names as where it went."""
    try:
        letter = read(raw)
    except Unreadable:
        return []
    return [*letter.delivered_to, *(a.email for a in (*letter.to, *letter.cc) if a.email)]


def _answer(stored: list[bool]) -> HttpResponse:
    if all(stored):
        return HttpResponse()
    # Not 200: what has no mailbox here must stay with the provider, who shows that it could not be delivered.
    log.warning("a pushed letter names no mailbox of ours")
    return HttpResponse("no such mailbox here", status=422)
