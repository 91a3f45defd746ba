"""Letters by a provider's interface (django-anymail) instead of SMTP: taken, refused, and a key that is wrong."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

import pytest

from makegood.jobs.deliver import send_due
from tests import cast as stages

pytest.importorskip("anymail", reason="the extra 'providers' is not installed")
pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings):
    """A server that answers as Mailgun's does; ``status`` is what it says next, ``took`` what it was sent."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.took.append(unquote_plus(body.decode("utf-8", "replace")))
            self.send_response(server.status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"id": "<1@provider.example>", "message": "Queued."}')

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.took, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EMAIL_HOST = ""
    settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
    settings.ANYMAIL = {
        "MAILGUN_API_KEY": "key",
        "MAILGUN_SENDER_DOMAIN": "haneul.example",
        "MAILGUN_API_URL": f"http://127.0.0.1:{server.server_port}/v3",
    }
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "status, state", [(200, "sent"), (400, "failed"), (401, "waiting"), (429, "waiting"), (503, "waiting")]
)
def test_what_the_provider_says_is_what_the_row_says(cast, provider, status, state):
    provider.status = status
    case = stages.reported(cast)
    assert send_due() == 1
    letter = case.deliveries.get()
    assert letter.state == state
    assert "jiwoo@customer.example" in provider.took[0] and letter.header_id in provider.took[0]
    cast.jiwoo.refresh_from_db()
    assert not cast.jiwoo.email_failed_at, "a provider's own trouble blames no address"


def test_a_missing_key_fails_no_letter(cast, provider, settings):
    settings.ANYMAIL = {}
    case = stages.reported(cast)
    send_due()
    assert case.deliveries.get().state == "waiting" and provider.took == []
