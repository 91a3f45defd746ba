"""What goes wrong has a page too, in the reader's language, and says whether anything was changed."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from django.views.defaults import server_error

from makegood.base.languages import CODES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("address", ["/no/such/page/", "/cases/100000/", "/c/forged~token/", "/files/1/"])
def test_nothing_here_is_said_in_our_look(cast, client, language, address):
    client.force_login(cast.minji)
    type(cast.minji).objects.update(language=language)
    client.cookies["language"] = language
    answer = client.get(address)
    assert answer.status_code in (403, 404)
    assert f'<html lang="{language}"' in answer.content.decode()


def test_a_fault_of_ours_is_said_in_all_three_without_asking_the_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = server_error(RequestFactory().get("/"))
    said = answer.content.decode()
    assert (
        answer.status_code == 500
        and "저희 쪽에 오류" in said
        and "我们这边出了错" in said
        and "A fault on our side" in said
    )
