"""Pages through the front that also serves streams: what is sent and what is answered arrives whole, short or long."""

from __future__ import annotations

import hashlib
import io
from http.client import HTTPConnection

import pytest

from makegood.conversations.models import Attachment
from tests import cast as stages
from tests.web.live import cookie, served, signed_in

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BIG = bytes(range(256)) * 12_000  # 3 MB: longer than one piece of an answer


@pytest.fixture(scope="module")
def site(django_db_setup):
    with served() as found:
        yield found


def ask(site, method, path, body=None, **headers):
    connection = HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_a_file_is_sent_in_and_read_back_whole(cast, site):
    case = stages.owned(cast)
    session = signed_in(cast.minji)
    page, content = ask(site, "GET", f"/cases/{case.number}/", **cookie(session))
    assert page.status == 200 and b"</html>" in content
    token = page.headers["Set-Cookie"].split("csrftoken=")[1].split(";")[0]
    mark = "XxX"
    form = io.BytesIO()
    for name, value in (
        ("csrfmiddlewaretoken", token),
        ("seen", str(case.version)),
        ("text", "은행 확인서입니다"),
    ):
        form.write(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    form.write(f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="a.bin"\r\n\r\n'.encode())
    form.write(BIG + f"\r\n--{mark}--\r\n".encode())
    both = f"sessionid={session.session_key}; csrftoken={token}"
    kind = f"multipart/form-data; boundary={mark}"
    sent, content = ask(
        site, "POST", f"/cases/{case.number}/note/", form.getvalue(), Cookie=both, **{"Content-Type": kind}
    )
    assert sent.status == 303, content[:500]
    file = Attachment.objects.get(case=case)
    read, content = ask(site, "GET", f"/files/{file.pk}/", **cookie(session))
    assert read.status == 200 and hashlib.sha256(content).digest() == hashlib.sha256(BIG).digest()


def test_head_errors_and_static_files_are_answered_as_before(cast, site):
    head, content = ask(site, "HEAD", "/healthz")
    assert head.status == 200 and content == b"" and head.headers["Content-Length"] == "2"
    assert ask(site, "GET", "/no/such/page/")[0].status == 404
    assert ask(site, "GET", "/%EA%B0%80/?q=%EA%B0%80%00")[0].status == 404
    assert ask(site, "GET", "/healthz", Host="evil.example")[0].status == 400
    style, content = ask(site, "GET", "/static/makegood/makegood.css")
    assert style.status == 200 and len(content) == int(style.headers["Content-Length"])
    unchanged, content = ask(
        site, "GET", "/static/makegood/makegood.css", **{"If-Modified-Since": style.headers["Last-Modified"]}
    )
    assert (unchanged.status, content) == (304, b"")


def test_a_stream_is_only_got_and_says_that_nobody_may_collect_it(cast, site):
    assert ask(site, "POST", "/live/", b"x", **cookie(cast.minji))[0].status == 405
    connection = HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", "/live/", headers=cookie(cast.minji))
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (answer.headers["X-Accel-Buffering"], answer.headers["Cache-Control"]) == ("no", "no-store")
    assert answer.readline().startswith(b"retry: ")
    connection.close()


def test_where_django_itself_is_asked_there_is_no_stream(cast, client):
    client.force_login(cast.minji)
    assert client.get("/live/?queue").status_code == 204
