"""Every address, every role, every language, with and without htmx: the right door opens, the others stay shut."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from makegood.base.languages import CODES
from makegood.cases import access
from makegood.cases.models import Case
from makegood.conversations.messages import Upload
from makegood.conversations.models import CannedReply
from makegood.desk import hooks, party_page, stores
from makegood.desk.incidents import open_incident
from makegood.desk.rooming import open_room
from makegood.people import calendars
from makegood.watch.models import Finding
from tests import cast as stages
from tests.desk.test_parties import carrier_asked
from tests.mail import post

pytestmark = pytest.mark.django_db

DESK = {"minji", "sujin", "wei", "hana", "root"}
KEEPERS = {"hana", "root"}
LEADS = KEEPERS | {"sujin"}
MERCHANTS = {"kang"}
STRANGERS = {"luo"}  # a merchant of another shop
EVERYBODY = {"nobody", *DESK, *MERCHANTS, *STRANGERS}

#: name of an address that is read -> (its address, who gets 200). Everybody else is sent to sign in, refused, or finds nothing.
READ: dict[str, tuple[str, set[str]]] = {
    "healthz": ("/healthz", EVERYBODY),
    "queue": ("/", DESK),
    "search": ("/search/?q=환불", DESK),
    "travel": ("/travel/", DESK - {"minji", "wei"}),
    "outbox": ("/outbox/", {"sujin", "hana", "root"}),
    "customer_quiet": ("/quiet/{quiet}/", EVERYBODY),
    "notices": ("/notices/", DESK),
    "my_ways": ("/me/notices/", DESK),
    "notices_undelivered": ("/notices/undelivered/", LEADS),
    "hooks": ("/webhooks/", KEEPERS),
    "hook_new": ("/webhooks/new/", KEEPERS),
    "hook": ("/webhooks/{hook}/", KEEPERS),
    "hook_edit": ("/webhooks/{hook}/edit/", KEEPERS),
    "hook_call": ("/webhooks/{hook}/calls/{call}/", KEEPERS),
    "events_aside": ("/events/", KEEPERS),
    "rooms": ("/rooms/", DESK),
    "room": ("/rooms/{room}/", DESK),
    "room_history": ("/rooms/{room}/card/ask/", DESK),
    "owed": ("/owed/", DESK),
    "parties": ("/owed/parties/", LEADS),
    "party_new": ("/owed/parties/new/", LEADS),
    "party_edit": ("/owed/parties/{party}/", LEADS),
    "party": ("/p/{ask}/", EVERYBODY),
    "duty": ("/duty/", DESK),
    "watch": ("/watch/", DESK),
    "watch_process": ("/watch/order/", DESK),
    "watch_finding": ("/watch/findings/{finding}/", DESK),
    "incidents": ("/incidents/", DESK),
    "incident": ("/incidents/{incident}/", DESK),
    "me": ("/me/", EVERYBODY - {"nobody"}),
    "people": ("/people/", KEEPERS),
    "replies": ("/replies/", DESK),
    "replies_new": ("/replies/new/", LEADS),
    "replies_edit": ("/replies/{canned}/", LEADS),
    "signatures": ("/signatures/", LEADS),
    "checks": ("/checks/", DESK),
    "people_new": ("/people/users/new/", KEEPERS),
    "people_edit": ("/people/users/{minji}/", KEEPERS),
    "calendars": ("/people/calendars/", KEEPERS),
    "calendar_new": ("/people/calendars/new/", KEEPERS),
    "calendar": ("/people/calendars/{calendar}/", KEEPERS),
    "shop_budget": ("/people/shops/{haneul}/budget/", KEEPERS),
    "approvals": ("/approvals/", LEADS),
    "likeness": ("/approvals/likeness/", LEADS),
    "shop_clocks": ("/people/shops/{haneul}/clocks/", KEEPERS),
    "stores": ("/stores/", KEEPERS),
    "store_new": ("/stores/new/generic/", KEEPERS),
    "store": ("/stores/{store}/", KEEPERS),
    "mailboxes": ("/mailboxes/", KEEPERS),
    "mailbox_new": ("/mailboxes/new/", KEEPERS),
    "mailbox": ("/mailboxes/{mailbox}/", KEEPERS),
    "letters": ("/letters/", DESK),
    "letters_limited": ("/letters/limited/", DESK),
    "letters_all": ("/letters/all/", DESK),
    "letter": ("/letters/{letter}/", DESK),
    "letter_source": ("/letters/{letter}/source/", DESK),
    "message_letter": ("/messages/{message}/letter/", DESK),
    "welcome": ("/welcome/no-such-secret/", set()),
    "new_case": ("/cases/new/", DESK),
    "case": ("/cases/{number}/", DESK),
    "case_ready": ("/cases/{number}/ready/?pick=received", DESK),
    "attachment": ("/files/{file}/", DESK | MERCHANTS),
    "report_shops": ("/report/", EVERYBODY),
    "report": ("/report/haneul/", EVERYBODY),
    "report_questions": ("/report/haneul/questions/?type=refund.delay", EVERYBODY),
    "customer_case": ("/c/{token}/", EVERYBODY),
    "customer_thanks": ("/c/{token}/thanks/", EVERYBODY),
    "customer_file": ("/c/{token}/files/{file}/", EVERYBODY),
    "merchant": ("/merchant/", MERCHANTS | STRANGERS),
    "merchant_new": ("/merchant/new/", MERCHANTS | STRANGERS),
    "merchant_case": ("/merchant/{number}/", MERCHANTS),
    "merchant_file": ("/merchant/{number}/files/{file}/", MERCHANTS),
}
#: Addresses that only take what is sent (POST), or whose own tests say who may: a GET never opens them.
SENT = re.compile(
    r"^(mail_\w+|events_in|stream_in|mailbox_test|store_(test|secret)|letter_(read|away|open|join)|case_\w+|room_now|duty_\w+|watch_(dismiss|settings)|room_act|queue_many|outbox_again|notices_seen|language|checks_switch|replies_remove|people_link|calendar_(week|days|drop|upload|take_in)|customer_act|room_here|live|way_(add|test|remove)|hook_(rotate|on|off|test|again|replay|remove)|incident_(now|act|settle))$"
)
OTHERS_OWN = re.compile(
    r"^(account_|mfa_|api-|openapi|docs|email_)|^$"
)  # allauth's and ninja's pages, tried in test_signin and tests/api


def names() -> Iterator[str]:
    """The name of every address of the site."""
    waiting: list[URLPattern | URLResolver] = list(get_resolver().url_patterns)
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, URLResolver):
            if entry.namespace is None:
                waiting.extend(entry.url_patterns)
        elif entry.name:
            yield entry.name


def test_no_address_is_forgotten_here():
    unknown = {n for n in names() if n not in READ and not SENT.match(n) and not OTHERS_OWN.match(n)}
    assert not unknown, f"say in READ who may open {unknown}"


@pytest.fixture
def places(cast):
    case = stages.reported(cast, files=[Upload("proof.txt", "text/plain", b"seen")])
    stages.take(case, by=cast.by(cast.minji), seen=None)
    came = letter_to(cast)
    root = cast.by(cast.root)
    hook, _secret = hooks.make(by=root, name="ERP", url="https://erp.example/hook")
    asked = carrier_asked(cast, case)
    stores.make("every-page", by=root, shop="haneul", settings={"address": "https://haneul.example"})
    values = {
        "party": asked.party_id,
        "ask": party_page.token_of(asked),
        "hook": hook.pk,
        "call": hooks.ask_for_test(hook.pk, by=root).pk,
        "mailbox": came.mailbox_id,
        "store": "every-page",
        "letter": came.pk,
        "message": came.message_id,
        "number": case.number,
        "file": case.attachments.get().pk,
        "token": access.token_of(case.links.get()),
        "quiet": access.quiet_token_of(case.links.get()),
        "minji": cast.minji.pk,
        "haneul": cast.haneul.pk,
        "calendar": calendars.standing(cast.haneul)[1].calendar_id,
        "canned": CannedReply.objects.create(
            team=cast.front, code="ours", names={"en": "Ours"}, texts={"en": "Hello"}, by=cast.sujin
        ).pk,
        "finding": Finding.objects.create(
            uid=1,
            kind="stuck",
            process="refund",
            step="refund.payout",
            shop=cast.haneul,
            since=case.opened_at,
            found_at=case.opened_at,
            code="stuck.hours",
            confidence=1,
            rank=1,
            data={
                "step": "refund.payout",
                "age": 60,
                "limit": 60,
                "of": "995",
                "since": "",
                "promise": "",
                "other": "",
                "expected": 0,
            },
        ).pk,
        "incident": open_incident(case, by=cast.by(cast.sujin), words="환불을 신청한 지").data["incident"],
        "room": open_room(case, by=cast.by(cast.sujin), ask="환불을 신청한 지").data["room"],
    }
    return {name: (address.format(**values), who) for name, (address, who) in READ.items()}


def letter_to(cast):
    """A letter of Jiwoo with html that came to Haneul's mailbox and opened no further case."""
    box = post.box(cast.haneul)
    case = Case.objects.get()
    html = '<p>안녕하세요 hello 您好</p><img src="https://elsewhere.example/p.png">'
    return post.sent(box, post.letter(subject=f"[{case.number}]", html=html))


@pytest.fixture
def visitors(cast):
    found = {"nobody": Client()}
    for name in EVERYBODY - {"nobody"}:
        found[name] = Client()
        found[name].force_login(getattr(cast, name))
    return found


@pytest.mark.parametrize("name", READ)
def test_who_may_read_what(cast, places, visitors, name):
    address, allowed = places[name]
    before = Case.objects.get().version
    for who, client in visitors.items():
        for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
            answer = client.get(address, **headers)
            if who in allowed:
                assert answer.status_code == 200, f"{who} {headers}: {answer.status_code}"
            else:
                assert answer.status_code in (302, 303, 401, 403, 404), (
                    f"{who} {headers}: {answer.status_code}"
                )
                if who in STRANGERS:
                    assert "환불을 신청한 지" not in answer.content.decode(), "a stranger reads nothing"
    assert Case.objects.get().version == before, "reading changes nothing"


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize(
    "name",
    [
        n
        for n in READ
        if n
        not in (
            "healthz",
            "attachment",
            "customer_file",
            "merchant_file",
            "welcome",
            "letter_source",
            "case_ready",
        )
    ],
)
def test_every_page_speaks_every_language(cast, places, visitors, language, name):
    address, allowed = places[name]
    who = next(w for w in ("nobody", "hana", "kang") if w in allowed)
    client = visitors[who]
    client.cookies["language"] = language
    if who != "nobody":
        getattr(cast, who).__class__.objects.update(language=language)
    whole = client.get(address).content.decode()
    if name != "report_questions":
        assert f'<html lang="{language}"' in whole
    said = {
        "ko": re.compile("[가-힣]{2}"),
        "zh-hans": re.compile("[\u4e00-\u9fff]{2}"),
        "en": re.compile("[a-z]{3}"),
    }
    for page in (whole, client.get(address, HTTP_HX_REQUEST="true").content.decode()):
        words = re.sub(r"<(select|textarea|script)[^>]*>.*?</\1>", "", page, flags=re.S)
        assert said[language].search(words)
        assert "{{" not in page and "{%" not in page and "%(" not in page


@pytest.mark.parametrize(
    "name", [n for n in sorted(set(names())) if re.match("case_", n) and n != "case_presence"]
)
def test_nobody_from_outside_sends_a_verb(cast, visitors, name):
    case = stages.owned(cast)
    verb = name.removeprefix("case_")
    before = stages.fresh(case).version
    for who in ("nobody", "kang", "luo"):
        answer = visitors[who].post(
            f"/cases/{case.number}/{verb}/", {"seen": case.version, "text": "x", "level": 5}
        )
        assert answer.status_code in (302, 303, 403, 404), f"{who}: {answer.status_code}"
    assert stages.fresh(case).version == before


def test_a_form_without_its_token_changes_nothing(cast):
    case = stages.owned(cast)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.minji)
    answer = strict.post(f"/cases/{case.number}/note/", {"seen": case.version, "text": "forged"})
    assert answer.status_code == 403 and stages.fresh(case).version == case.version
