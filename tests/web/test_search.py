"""Search: Korean with any particle, two Chinese characters, Latin words, numbers; nothing of a stranger's shop."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from makegood.base.errors import NotAllowed
from makegood.desk.finding import _words, find, marked, snippet
from makegood.people.models import Shop, Team
from tests import cast as stages

pytestmark = pytest.mark.django_db


def found(cast, text, who=None, **more):
    return [hit.case.number for hit in find(cast.by(who or cast.minji), text, **more).hits]


@pytest.mark.parametrize(
    "said", ["환불을 신청했습니다", "환불이 안 돼요", "왜 환불만 늦나요", "부분환불 해 주세요"]
)
def test_two_korean_syllables_are_found_with_any_particle(cast, said):
    case = stages.reported(cast, text=said)
    stages.reported(cast, text="배송이 늦어요")
    assert found(cast, "환불") == [case.number]


@pytest.mark.parametrize("asked", ["退款", "退", "退款申请", "退 款", "ＲＥＦＵＮＤ"])
def test_chinese_and_full_width(cast, asked):
    case = stages.reported(cast, cast.lina, text="退款申请十天了 refund please")
    assert found(cast, asked) == [case.number]


def test_traditional_characters_find_simplified_ones(cast):
    case = stages.reported(cast, cast.lina, text="发票还没有收到")
    assert found(cast, "發票") == [case.number]


@pytest.mark.parametrize(
    "asked", ["refund", "REFUND arrived", "refu", "ax-20261103", "AX20261103", "20261103"]
)
def test_latin_words_and_order_numbers(cast, asked):
    case = stages.reported(cast, cast.alex)
    assert found(cast, asked) == [case.number]


def test_the_customer_and_the_subject_are_found_too(cast):
    case = stages.reported(cast)
    assert found(cast, "지우") == found(cast, "jiwoo@customer.example") == [case.number]


def test_a_case_number_and_an_order_number_stand_first(cast):
    a = stages.reported(cast, text="환불 HN-20261101")
    b = stages.reported(
        cast, text=f"{a.number} 건과 같은 문제예요, 주문 HN-20261101 아님", order_number="XX-1"
    )
    hits = find(cast.by(cast.minji), str(a.number)).hits
    assert (hits[0].case.number, hits[0].exact) == (a.number, True)
    assert [h.case.number for h in hits].count(a.number) == 1
    assert find(cast.by(cast.minji), f"#{a.number}").hits[0].case.number == a.number
    assert find(cast.by(cast.minji), "xx-1").hits[0].case.number == b.number


def test_a_mistyped_number_says_so(cast, client):
    case = stages.reported(cast)
    wrong = case.number + 1
    result = find(cast.by(cast.minji), str(wrong))
    assert result.mistyped == str(wrong) and not result.hits
    client.force_login(cast.jun)
    assert "not a case number" in client.get("/search/", {"q": wrong}).content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "'",
        "' | 'x':*",
        "!!!",
        "a & !b",
        "\\",
        "\x00",
        "😀",
        "\ud800",
        "(",
        "%s %(query)s {}",
        "'" * 5000,
        "환" * 5000,
        "<->",
    ],
)
def test_hostile_queries_are_harmless(cast, client, text):
    stages.reported(cast)
    assert find(cast.by(cast.minji), text).mistyped == ""
    client.force_login(cast.minji)
    assert client.get("/search/", {"q": text.encode("utf-8", "replace")}).status_code == 200


def test_what_was_written_is_shown_and_never_run(cast, client):
    stages.reported(cast, cast.alex, text="<script>alert(1)</script> refund & more")
    client.force_login(cast.minji)
    body = client.get("/search/?q=refund").content.decode()
    assert "<script>alert" not in body and "&lt;script&gt;alert(1)" in body and "<mark>refund</mark>" in body


def test_a_strangers_shop_is_not_found(cast):
    tea = stages.reported(cast, cast.lina, text="退款 ORD-777")
    other = Shop.objects.create(name="Far", code="far")
    team = Team.objects.create(name="Far team")
    team.shops.add(other)
    cast.front.members.remove(cast.jun)
    team.members.add(cast.jun)
    for asked in ("退款", "ORD-777", str(tea.number)):
        result = find(cast.by(cast.jun), asked)
        assert (result.hits, result.cases) == ([], 0)
        assert found(cast, asked, cast.hana) == [tea.number]


def test_open_or_ended_only(cast):
    still, ended = stages.owned(cast), stages.made_good(cast)
    assert set(found(cast, "환불")) == {still.number, ended.number}
    assert found(cast, "환불", only="open") == [still.number]
    assert found(cast, "환불", only="ended") == [ended.number]


def test_a_case_is_shown_once_however_often_it_says_the_word(cast):
    case = stages.answered(cast, text="확인 부탁드려요, 확인 좀")
    assert found(cast, "확인") == [case.number]


def test_pages_neither_skip_nor_double_while_messages_arrive(cast):
    before = {stages.reported(cast, text=f"환불 문의 {i}").number for i in range(5)}
    seen, after = [], None
    while True:
        page = find(cast.by(cast.minji), "환불", limit=2, after=after)
        seen += [hit.case.number for hit in page.hits]
        stages.reported(cast, text="환불 또 문의")
        after = page.next
        if not after:
            break
    assert set(seen) == before and len(seen) == 5


def test_the_number_of_queries_does_not_grow(cast):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            find(cast.by(cast.minji), "환불")
        return len(seen)

    stages.reported(cast)
    one = queries()
    for _ in range(4):
        stages.reported(cast)
    assert queries() == one <= 8


def test_merchants_and_strangers_do_not_search(cast, client):
    with pytest.raises(NotAllowed):
        find(cast.by(cast.kang), "환불")
    assert client.get("/search/").status_code == 302
    client.force_login(cast.kang)
    assert client.get("/search/?q=a").status_code == 403


def test_marks_stand_on_the_customers_own_characters():
    assert marked("發票、ＲＥＦＵＮＤ please", _words("发票 refund")) == [
        ("發票", True), ("、", False), ("ＲＥＦＵＮＤ", True), (" please", False),
    ]  # fmt: skip
    assert marked("prerefund", _words("refund")) == [("prerefund", False)]
    long = "가나다 " * 100 + "환불이 늦어요" + " 라마바" * 100
    pieces = snippet(long, _words("환불"))
    assert ("환불", True) in pieces and pieces[0][0] == "… " and len("".join(p for p, _ in pieces)) < 300
    assert snippet("", _words("x")) == [] and marked("", None) == [("", False)]
