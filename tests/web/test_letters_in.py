"""The pages of letters that came in and of mailboxes: what a person sees, decides, and never sees.

Over 300 lines: with the routes by which letters are pushed, which share its letters.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from email import message_from_bytes, policy

import pytest

from makegood.base.seal import unseal
from makegood.cases.models import Case
from makegood.conversations.models import Delivery, Letter, Mailbox
from makegood.jobs.receive import read_due
from makegood.people.models import Team, User
from tests import cast as stages
from tests.mail.post import box, letter, sent

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG a picture"
FORM = {
    "address": "help@haneul.example",
    "name": "하늘",
    "way": "imap",
    "active": "on",
    "host": "imap.haneul.example",
    "port": "993",
    "security": "tls",
    "user": "",
    "folder": "INBOX",
    "auth": "password",
    "password": "hunter-2-hunter",
}


@pytest.fixture(autouse=True)
def english(cast):
    """The page's words are looked for in English."""
    User.objects.update(language="en")


@pytest.fixture
def aside(cast):
    """A letter that the filter of the mail server set aside."""
    cast.box = box(cast.haneul)
    return sent(cast.box, b"X-Spam-Flag: YES\n" + letter())


def test_a_letter_set_aside_is_seen_with_its_reason_and_counted(cast, client, aside):
    client.force_login(cast.minji)
    shown = client.get("/letters/").content.decode()
    assert "jiwoo@customer.example" in shown and "환불이 안 됩니다" in shown
    assert '<span class="badge num">1</span>' in client.get("/me/").content.decode()
    page = client.get(f"/letters/{aside.pk}/").content.decode()
    assert "주문번호 HN-20261101" in page


def test_minji_opens_a_case_from_it_once(cast, client, aside):
    client.force_login(cast.minji)
    answer = client.post(f"/letters/{aside.pk}/open/", {"name": "지우", "email": "jiwoo@customer.example"})
    case = Case.objects.get()
    assert answer.url == f"/cases/{case.number}/" and case.customer == cast.jiwoo
    aside.refresh_from_db()
    assert (aside.outcome, aside.by, aside.because) == ("opened", cast.minji, "by_hand")
    again = client.post(f"/letters/{aside.pk}/open/", {"name": "지우", "email": "jiwoo@customer.example"})
    assert again.status_code == 422 and Case.objects.count() == 1


def test_a_case_opened_by_hand_from_a_machines_letter_is_not_answered(cast, client):
    row = sent(box(cast.haneul), letter("robot@elsewhere.example", Auto_Submitted="auto-generated"))
    client.force_login(cast.minji)
    client.post(f"/letters/{row.pk}/open/", {"name": "", "email": "robot@elsewhere.example"})
    assert Case.objects.count() == 1 and not Delivery.objects.exists()


def test_minji_joins_it_to_a_case_as_jiwoos_word(cast, client, aside):
    case = stages.reported(cast)
    client.force_login(cast.minji)
    assert client.post(f"/letters/{aside.pk}/join/", {"number": f" [{case.number}] "}).status_code == 302
    assert case.messages.order_by("id").last().author == "customer"


@pytest.mark.parametrize("number", ["", "12", "99999999999999999999999", "moon"])
def test_it_joins_no_case_that_is_not_there_or_of_another_shop(cast, client, aside, number):
    if number == "moon":
        number = str(stages.reported(cast, customer=cast.lina).number)
    client.force_login(cast.minji)
    assert client.post(f"/letters/{aside.pk}/join/", {"number": number}).status_code == 422
    aside.refresh_from_db()
    assert aside.state == "set_aside"


def test_putting_it_away_needs_a_reason_and_keeps_the_source(cast, client, aside):
    client.force_login(cast.minji)
    assert client.post(f"/letters/{aside.pk}/away/", {"reason": " "}).status_code == 422
    assert client.post(f"/letters/{aside.pk}/away/", {"reason": "광고입니다"}).status_code == 302
    aside.refresh_from_db()
    assert (aside.outcome, aside.because) == ("dropped", "by_hand:광고입니다")
    source = client.get(f"/letters/{aside.pk}/source/")
    assert source.content.startswith(b"X-Spam-Flag") and source["Content-Disposition"].startswith(
        "attachment"
    )
    assert source["Content-Type"] == "application/octet-stream"


def test_read_again_after_the_reason_is_gone(cast, client):
    mailbox = box(cast.haneul)
    row = sent(mailbox, letter("help@haneul.example"))
    assert row.because == "from_ourselves"
    Mailbox.objects.filter(pk=mailbox.pk).update(address="other@haneul.example")
    client.force_login(cast.minji)
    client.post(f"/letters/{row.pk}/read/")
    row.refresh_from_db()
    assert row.outcome == "opened"


def test_letters_of_a_shop_that_is_not_served_are_not_there(cast, client, aside):
    bora = stages.user("Bora", "agent")
    team = Team.objects.create(name="Moon line")
    team.members.add(bora)
    team.shops.add(cast.moon)
    client.force_login(bora)
    assert "jiwoo" not in client.get("/letters/all/").content.decode()
    assert client.get(f"/letters/{aside.pk}/").status_code == 404
    assert client.get(f"/letters/{aside.pk}/source/").status_code == 404
    assert client.post(f"/letters/{aside.pk}/away/", {"reason": "x"}).status_code == 404


def test_a_secret_goes_in_and_never_comes_out(cast, client):
    client.force_login(cast.hana)
    assert client.post("/mailboxes/new/", {**FORM, "shop": cast.haneul.pk}).status_code == 302
    row = Mailbox.objects.get()
    assert unseal(row.secret) == {"password": "hunter-2-hunter"} and b"hunter" not in bytes(row.secret)
    assert row.user == "help@haneul.example" and row.first
    for page in ("/mailboxes/", f"/mailboxes/{row.pk}/"):
        assert "hunter" not in client.get(page).content.decode()
    wrong = client.post(f"/mailboxes/{row.pk}/", {**FORM, "shop": cast.haneul.pk, "port": "0"})
    assert wrong.status_code == 422 and "hunter" not in wrong.content.decode()
    client.post(f"/mailboxes/{row.pk}/", {**FORM, "shop": cast.haneul.pk, "password": "", "name": "Neu"})
    row.refresh_from_db()
    assert row.name == "Neu" and unseal(row.secret) == {"password": "hunter-2-hunter"}


def test_a_stored_secret_is_not_sent_to_another_server(cast, client):
    client.force_login(cast.hana)
    client.post("/mailboxes/new/", {**FORM, "shop": cast.haneul.pk})
    row = Mailbox.objects.get()
    answer = client.post(
        f"/mailboxes/{row.pk}/", {**FORM, "shop": cast.haneul.pk, "password": "", "host": "evil.example"}
    )
    row.refresh_from_db()
    assert answer.status_code == 422 and row.host == "imap.haneul.example"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "no"}, "address"),
        ({"address": "help+x@haneul.example"}, "address"),
        ({"name": " "}, "name"),
        ({"way": "pigeon"}, "way"),
        ({"host": "https://imap.haneul.example/"}, "host"),
        ({"port": "70000"}, "port"),
        ({"security": "some"}, "security"),
        ({"password": ""}, "password"),
        ({"auth": "oauth2"}, "token_url"),
        (
            {"auth": "oauth2", "token_url": "http://evil.example/", "client_id": "a", "refresh_token": "b"},
            "token_url",
        ),
        ({"shop": "999999"}, "shop"),
    ],
)
def test_a_mailbox_that_cannot_be_is_refused_beside_its_field(cast, client, change, field):
    client.force_login(cast.hana)
    answer = client.post("/mailboxes/new/", {**FORM, "shop": cast.haneul.pk, **change})
    assert answer.status_code == 422 and answer.context["form"].errors.keys() == {field}
    assert not Mailbox.objects.exists()


def test_a_mailbox_that_cannot_be_reached_is_said_so_clearly(cast, client):
    client.force_login(cast.hana)
    row = box(cast.haneul, way="imap", host="127.0.0.1", port=1, security="none")
    answer = client.post(f"/mailboxes/{row.pk}/test/", follow=True).content.decode()
    assert "The server does not answer" in answer


def html_letter(cast) -> Letter:
    """A letter with an enclosed picture and one from elsewhere, as mail programs put them together."""
    made = message_from_bytes(letter(), policy=policy.default)
    made.set_content("Hello")
    html = '<p onclick="x()">Hello</p><script>alert(1)</script>'
    made.add_alternative(f'{html}<img src="cid:p1"><img src="https://spy.example/1.png">', subtype="html")
    made.get_payload()[1].add_related(PNG, "image", "png", cid="<p1>", filename="p.png", disposition="inline")
    return sent(box(cast.haneul), made.as_bytes())


def test_a_letters_html_runs_nothing_loads_nothing_and_shows_what_was_enclosed(cast, client):
    row = html_letter(cast)
    client.force_login(cast.minji)
    sheet = client.get(f"/cases/{row.case.number}/").content.decode()
    assert f"/messages/{row.message_id}/letter/" in sheet and "spy.example" not in sheet
    page = client.get(f"/messages/{row.message_id}/letter/")
    body = page.content.decode()
    assert 'sandbox="allow-popups' in body and "allow-scripts" not in body and "allow-same-origin" not in body
    document = page.context["shown"].document
    assert "script" not in document and "onclick" not in document and ' src="https://spy' not in document
    assert "img-src data:" in document
    assert f"data:image/png;base64,{base64.b64encode(PNG).decode()}" in document
    asked = client.get(f"/messages/{row.message_id}/letter/?pictures").context["shown"].document
    assert ' src="https://spy.example/1.png"' in asked and "img-src data: https: http:" in asked


def test_quotes_are_folded_and_who_wrote_is_named(cast, client):
    case = sent(box(cast.haneul), letter(Cc="sister@family.example")).case
    sent(
        Mailbox.objects.get(),
        letter(
            "sister@family.example",
            subject=f"[{case.number}]",
            text="네.\n\nOn Sun, 22 Nov 2026, A wrote:\n> 옛말",
        ),
    )
    client.force_login(cast.minji)
    page = client.get(f"/cases/{case.number}/").content.decode()
    assert (
        "written by sister@family.example" in page and '<details class="quoted">' in page and "옛말" in page
    )


def signed(body: bytes, secret: bytes = b"a secret of the test", at: int | None = None) -> dict[str, str]:
    from makegood.base import clock

    moment = str(int(clock.now().timestamp()) if at is None else at)
    made = hmac.new(secret, f"msg_1.{moment}.".encode() + body, hashlib.sha256).digest()
    return {
        "HTTP_WEBHOOK_ID": "msg_1",
        "HTTP_WEBHOOK_TIMESTAMP": moment,
        "HTTP_WEBHOOK_SIGNATURE": "v1,xxx v1," + base64.b64encode(made).decode(),
    }


@pytest.fixture
def hook(cast, client, settings):
    settings.LETTER_WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a secret of the test").decode()
    cast.box = box(cast.haneul)
    return lambda body, to="?to=help@haneul.example", **head: client.post(
        f"/mail/in/{to}", body, content_type="message/rfc822", **head
    )


def test_a_signed_letter_is_stored_before_it_is_acknowledged(cast, hook):
    raw = letter()
    assert hook(raw, **signed(raw)).status_code == 200
    row = Letter.objects.get()
    assert bytes(row.source.content) == raw and (row.way, row.mailbox) == ("webhook", cast.box)
    assert hook(raw, **signed(raw)).status_code == 200 and Letter.objects.count() == 1
    other = letter(subject="2")
    assert hook(other, to="", **signed(other)).status_code == 200, "the letter itself says where it goes"


def test_what_is_not_signed_is_not_taken(hook, settings):
    raw = letter()
    assert hook(raw).status_code == 401
    assert hook(raw, **signed(raw, b"other")).status_code == 401
    assert hook(raw, **signed(raw, at=1)).status_code == 401
    assert hook(raw + b"x", **signed(raw)).status_code == 401
    assert hook(raw, to="?to=nobody@elsewhere.example", **signed(raw)).status_code == 422
    settings.LETTER_WEBHOOK_SECRET = ""
    assert hook(raw, **signed(raw)).status_code == 404 and not Letter.objects.exists()


def test_a_provider_pushes_by_anymail(cast, client, settings):
    box(cast.haneul)
    raw = letter()
    told = {
        "MessageStream": "inbound",
        "RawEmail": raw.decode(),
        "OriginalRecipient": "help@haneul.example",
        "Headers": [],
    }
    told |= {
        "Subject": "s",
        "FromFull": {"Email": "a@b.example", "Name": ""},
        "ToFull": [],
        "CcFull": [],
        "BccFull": [],
    }

    def post(auth: str = "anymail:right") -> int:
        return client.post(
            "/mail/hooks/postmark/",
            json.dumps(told),
            content_type="application/json",
            HTTP_AUTHORIZATION="Basic " + base64.b64encode(auth.encode()).decode(),
        ).status_code

    settings.ANYMAIL = {}
    assert post() == 404
    settings.ANYMAIL = {"WEBHOOK_SECRET": "anymail:right"}
    assert post("anymail:wrong") == 400 and not Letter.objects.exists()
    assert post() == 200
    read_due()
    assert "HN-20261101" in Letter.objects.get().message.body
    assert client.head("/mail/hooks/postmark/").status_code == 200
    assert client.post("/mail/hooks/nobody/").status_code == 404


def test_mailgun_gives_the_letter_as_its_bytes_also_a_large_one(cast, client, settings):
    """Over 4 MB, in EUC-KR: Django's own reading of a form would refuse the one and spoil the other."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": "u:p", "MAILGUN_WEBHOOK_SIGNING_KEY": "key"}
    box(cast.haneul)
    raw = letter(text="x").replace(b"\nx\n", "\n환불 ".encode("euc-kr") + b"y" * 5_000_000 + b"\n")
    token, at = "t" * 50, "1795300000"
    form = {
        "recipient": "help@haneul.example",
        "sender": "jiwoo@customer.example",
        "timestamp": at,
        "token": token,
        "signature": hmac.new(b"key", f"{at}{token}".encode(), hashlib.sha256).hexdigest(),
    }
    parts = [
        f'--B\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in form.items()
    ]
    whole = (
        b"".join(parts)
        + b'--B\r\nContent-Disposition: form-data; name="body-mime"\r\n\r\n'
        + raw
        + b"\r\n--B--\r\n"
    )
    auth = "Basic " + base64.b64encode(b"u:p").decode()
    kind = "multipart/form-data; boundary=B"
    answer = client.post("/mail/hooks/mailgun_mime/", whole, content_type=kind, HTTP_AUTHORIZATION=auth)
    assert answer.status_code == 200
    row = Letter.objects.get()
    assert bytes(row.source.content) == raw and row.envelope_to == "help@haneul.example"
