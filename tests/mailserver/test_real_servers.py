"""Letters by real servers: postfix takes them, dovecot keeps them, we fetch and read them. Nothing lost, nothing doubled.

Over 300 lines: one pair of servers, everything that is tried on them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings

from makegood.base.seal import seal, unseal
from makegood.cases.models import Case
from makegood.conversations import threads
from makegood.conversations.models import Letter, Mailbox
from makegood.conversations.reaching import Unreached, reached
from makegood.desk import receiving
from makegood.jobs.receive import read_due
from makegood.mail import fetch, watch
from makegood.mail.fetch import Fetcher
from tests import cast as stages
from tests.jobs.test_worker import address
from tests.mail.crash import killed
from tests.mail.post import box, letter

pytestmark = [pytest.mark.mailserver, pytest.mark.django_db(transaction=True)]
HELP = "help@haneul.example"


@pytest.fixture
def desk(transactional_db, mail_servers):
    cast = stages.assemble()
    cast.box = imap_box(cast, mail_servers)
    return cast


def imap_box(cast, servers, address: str = HELP, **more: object) -> Mailbox:
    fields = {
        "way": "imap",
        "host": "127.0.0.1",
        "port": servers.imap,
        "security": "none",
        "user": address,
        "secret": seal({"password": servers.password}),
    }
    return box(cast.haneul, address, **(fields | more))


def until(so: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


@contextmanager
def watching(mailbox: Mailbox):
    """A fetcher that runs as the worker runs it."""
    stop = threading.Event()
    thread = threading.Thread(target=Fetcher(mailbox.pk, stop).run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def took(count: int) -> Callable[[], bool]:
    return lambda: Letter.objects.count() == count


def test_a_letter_by_smtp_becomes_a_case_while_we_wait_in_idle(desk, mail_servers):
    with watching(desk.box):
        until(lambda: Mailbox.objects.get(pk=desk.box.pk).seen_at)
        mail_servers.deliver(letter(), HELP)
        until(took(1), 10)  # far below POLL: it was told, not asked for
        read_due()
        case = Case.objects.get()
        to = threads.reply_address(desk.box, case)
        mail_servers.deliver(letter(to=to, subject="또", text="하나 더 있습니다."), to)
        until(took(2), 10)
    read_due()
    rows = Letter.objects.order_by("id")
    assert [r.outcome for r in rows] == ["opened", "joined"] and {r.case for r in rows} == {case}
    assert rows[1].because == "signed" and rows[1].way == "imap"
    assert all(rb"\Seen" in flags for flags in mail_servers.flags(HELP))
    mailbox = Mailbox.objects.get(pk=desk.box.pk)
    assert mailbox.trouble == "" and mailbox.last_uid > 0


def test_what_people_had_read_before_we_came_opens_nothing(desk, mail_servers):
    mail_servers.put(HELP, letter("old@new.example"), (rb"\Seen",))
    mail_servers.put(HELP, letter("unread@new.example"))
    assert Fetcher(desk.box.pk, threading.Event()).once() == ""
    read_due()
    assert [r.sender for r in Letter.objects.all()] == ["unread@new.example"]
    # From now on a letter is ours also when somebody looks at it first in their own mail program.
    mail_servers.put(HELP, letter("seen@new.example"), (rb"\Seen",))
    Fetcher(desk.box.pk, threading.Event()).once()
    assert Letter.objects.count() == 2


ONCE = "from makegood.mail.fetch import Fetcher; Fetcher({pk}, threading.Event()).once()"


@pytest.mark.parametrize(
    ("at", "stored", "seen"),
    [
        ("makegood.mail.fetch/receiving:take_in", 0, False),  # fetched, not stored
        ("makegood.mail.fetch/receiving:take_in!", 1, False),  # stored, not marked
        ("makegood.mail.fetch:take_one!", 1, True),  # marked, not counted
    ],
)
def test_a_fetcher_killed_in_each_gap_loses_and_doubles_nothing(desk, mail_servers, at, stored, seen):
    Fetcher(desk.box.pk, threading.Event()).once()
    mail_servers.put(HELP, letter())
    killed(at, ONCE.format(pk=desk.box.pk))
    assert Letter.objects.count() == stored
    assert (rb"\Seen" in mail_servers.flags(HELP)[0]) is seen
    assert Fetcher(desk.box.pk, threading.Event()).once() == ""
    read_due()
    assert Letter.objects.count() == Case.objects.count() == 1
    assert rb"\Seen" in mail_servers.flags(HELP)[0]


def test_another_uidvalidity_doubles_nothing_and_misses_nothing(desk, mail_servers):
    for n in range(3):
        mail_servers.put(HELP, letter(f"c{n}@new.example", text=f"Parcel number {n} is late"))
    Fetcher(desk.box.pk, threading.Event()).once()
    read_due()
    before = Mailbox.objects.get(pk=desk.box.pk).uidvalidity
    mail_servers.new_uidvalidity(HELP)
    mail_servers.put(HELP, letter("late@new.example", text="Came while it was restored"))
    assert Fetcher(desk.box.pk, threading.Event()).once() == ""
    read_due()
    assert Mailbox.objects.get(pk=desk.box.pk).uidvalidity != before
    assert Letter.objects.count() == Case.objects.count() == 4


def test_a_cut_line_is_taken_up_again(desk, mail_servers, monkeypatch):
    monkeypatch.setattr(fetch, "BACK_OFF", (0.2,))
    with watching(desk.box):
        until(lambda: Mailbox.objects.get(pk=desk.box.pk).seen_at)
        mail_servers.cut()
        mail_servers.put(HELP, letter())
        until(took(1))
        until(lambda: Mailbox.objects.get(pk=desk.box.pk).trouble == "")


def test_without_idle_it_is_asked_for(desk, mail_servers, monkeypatch):
    monkeypatch.setattr(fetch, "POLL", 0.3)
    monkeypatch.setattr(fetch.IMAPClient, "has_capability", lambda self, name: False)
    with watching(desk.box):
        until(lambda: Mailbox.objects.get(pk=desk.box.pk).seen_at)
        mail_servers.put(HELP, letter())
        until(took(1))


def test_a_letter_that_is_too_large_is_set_aside_with_its_beginning_and_stays_unread(
    desk, mail_servers, monkeypatch
):
    monkeypatch.setattr(receiving, "LIMIT", 2000)
    raw = letter(text="환불 " * 2000)
    mail_servers.put(HELP, raw)
    mail_servers.put(HELP, letter("small@new.example", text="A small one"))
    assert Fetcher(desk.box.pk, threading.Event()).once() == ""
    first, second = Letter.objects.order_by("id")
    assert (first.state, first.because) == ("set_aside", "too_large") and len(first.source.content) == 2000
    assert second.state == "waiting"
    assert [rb"\Seen" in f for f in mail_servers.flags(HELP)] == [False, True]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret": seal({"password": "wrong"})}, "sign_in"),
        ({"folder": "No such folder"}, "folder"),
        ({"port": 1}, "unreachable"),
        ({"host": "no-such-host.invalid"}, "unreachable"),
        ({"secret": b"not sealed by us"}, "secret"),
        ({"security": "tls"}, "unreachable"),  # a port that does not speak TLS
    ],
)
def test_what_is_wrong_is_said_by_its_code(desk, mail_servers, change, code):
    Mailbox.objects.filter(pk=desk.box.pk).update(**change)
    said = Fetcher(desk.box.pk, threading.Event()).once()
    assert said.split(":")[0] in (code, "certificate" if "security" in change else code), said
    assert Mailbox.objects.get(pk=desk.box.pk).trouble == said and "correct horse" not in said


def test_a_certificate_that_nobody_vouches_for_is_refused(desk, mail_servers):
    desk.box.port, desk.box.security = mail_servers.imaps, "tls"
    with pytest.raises(Unreached) as error, reached(desk.box):
        pytest.fail("signed in over a line that anybody may listen to")
    assert error.value.code == "certificate"


def test_a_certificate_that_is_trusted_is_accepted_and_starttls_too(desk, mail_servers, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(mail_servers.dir / "cert.pem"))
    for port, security in ((mail_servers.imaps, "tls"), (mail_servers.imap, "starttls")):
        desk.box.port, desk.box.security = port, security
        with reached(desk.box) as (_client, uidvalidity):
            assert uidvalidity > 0


@contextmanager
def provider(port: int, refresh: str):
    """What gives access: a token for the refresh token (which it replaces), and to dovecot whose a token is."""
    asked: list[dict[str, list[str]]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append(form)
            right = form["refresh_token"] == [refresh] and form["grant_type"] == ["refresh_token"]
            if right:
                self.say(200, {"access_token": "fresh-token", "refresh_token": "the-next-one"})
            else:
                self.say(400, {"error": "invalid_grant"})

        def do_GET(self) -> None:
            known = parse_qs(urlsplit(self.path).query).get("token") == ["fresh-token"]
            self.say(200, {"email": HELP, "active": "yes"} if known else {"active": "no"})

        def say(self, code: int, what: dict[str, str]) -> None:
            body = json.dumps(what).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield asked
        server.shutdown()


def test_by_oauth2_with_a_refresh_token_that_the_provider_replaces(desk, mail_servers):
    url = f"http://127.0.0.1:{mail_servers.oauth}/token"
    secret = {"token_url": url, "client_id": "makegood", "refresh_token": "first", "scope": "mail"}
    Mailbox.objects.filter(pk=desk.box.pk).update(auth="oauth2", secret=seal(secret))
    mail_servers.put(HELP, letter())
    with provider(mail_servers.oauth, "first") as asked:
        assert Fetcher(desk.box.pk, threading.Event()).once() == "", mail_servers.logs()
        assert asked[0]["client_id"] == ["makegood"] and Letter.objects.count() == 1
        assert unseal(Mailbox.objects.get(pk=desk.box.pk).secret)["refresh_token"] == "the-next-one"
        # The provider of this test knows the first one only: as if access had been withdrawn.
        said = Fetcher(desk.box.pk, threading.Event()).once()
    assert said == "token: 400 invalid_grant"


def test_all_mailboxes_are_watched_and_changes_are_followed(desk, mail_servers, monkeypatch):
    monkeypatch.setattr(watch, "LOOK", 0.2)
    brand = imap_box(desk, mail_servers, "brand@haneul.example")
    stop = threading.Event()
    thread = threading.Thread(target=watch.Watch().run, args=(stop,), daemon=True)
    thread.start()
    second = watch.Guard()
    try:
        mail_servers.put(HELP, letter("a@new.example"))
        mail_servers.put(brand.address, letter("b@new.example"))
        until(took(2))
        assert not second.take(brand.pk), "one process fetches a mailbox"
        Mailbox.objects.filter(pk=brand.pk).update(active=False)
        until(lambda: second.take(brand.pk))
        mail_servers.put(brand.address, letter("c@new.example"))
        mail_servers.put(HELP, letter("d@new.example"))
        until(took(3))
    finally:
        stop.set()
        thread.join(15)
        second.close()
    assert not Letter.objects.filter(sender="c@new.example").exists() and not thread.is_alive()


def take_letter(to: str, raw: bytes, url: str = "") -> int:
    """The command as a mail server runs it; its exit code."""
    more = {
        "DATABASE_URL": url or address(),
        "DJANGO_SETTINGS_MODULE": "makegood.settings",
        "PYTHONPATH": str(settings.ROOT),
    }
    command = [sys.executable, "-W", "ignore", "-m", "django", "take_letter", "--to", to]
    return subprocess.run(
        command, input=raw, env=os.environ | more, capture_output=True, timeout=60
    ).returncode


def test_postfix_pipes_a_letter_in_and_keeps_it_while_the_database_is_down(desk, mail_servers):
    mailbox = box(desk.haneul, "desk@pipe.example")
    codes: list[int] = []

    def take(to: str, raw: bytes) -> int:
        # The first time the database is away.
        codes.append(take_letter(to, raw, "" if codes else "postgresql://postgres@127.0.0.1:1/none"))
        return codes[-1]

    mail_servers.pipe(take)
    to = threads.reply_address(mailbox, stages.reported(desk))
    mail_servers.deliver(letter(to=to, text="파이프로 왔습니다."), to)
    until(took(1), 60)
    until(lambda: codes == [75, 0])
    read_due()
    row = Letter.objects.get()
    assert (row.outcome, row.because, row.envelope_to, row.way) == ("joined", "signed", to, "pipe")
    until(lambda: "empty" in mail_servers.queued())


def test_postfix_tells_the_sender_when_nobody_lives_there(desk, mail_servers):
    mail_servers.pipe(take_letter)
    mail_servers.deliver(letter(to="nobody@pipe.example"), "nobody@pipe.example")
    (report,) = mail_servers.arrived("jiwoo@customer.example", seconds=60)
    assert b"nobody@pipe.example" in report and b"no such mailbox here" not in report.split(b"\n\n")[0]
    assert not Letter.objects.exists()
