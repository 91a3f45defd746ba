"""How long one look at a reply takes on the server, against a view that does nothing, in the same run.

    python -m bench.checks [--rounds 200]

Needs a database with a case (``bin/up`` with the demo, or any other). A page of text is 3 000 characters.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import Any

import django
from django.conf import settings

PAGE = {
    "ko": "확인해 보니 대전 물류센터에서 사흘째 멈춰 있었습니다. 오늘 오후 6시까지 제가 다시 연락드리겠습니다. 아마도 분류 문제입니다. ",
    "zh-hans": "经核实，包裹卡在杭州转运中心已经三天，可能是分拣出错。今天下午5点前我给您回复，请稍等。",
    "en": "I checked with the warehouse: it has been sitting in Leipzig since Tuesday. I will write to you by 5 pm today. Maybe it was a label. ",
}


def timed(run: Callable[[], object], rounds: int) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    spent = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()
        spent.append((time.perf_counter() - begun) * 1000)
    spent.sort()
    return statistics.median(spent), spent[min(len(spent) - 1, int(len(spent) * 0.99))]


def words_alone(text: str, language: str, nth: Iterator[int]) -> object:
    """One look without the case; each text is a new one, since a text that was just read is remembered."""
    from makegood.text.checks import Facts, check

    return check(f"{text}{next(nth)}", language, "update", Facts(language=language))


def request(client: Any, address: str, text: str, nth: Iterator[int]) -> Any:
    """One look as the page asks for it."""
    return client.post(address, {"text": f"{text}{next(nth)}", "verb": "reply"})


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=200)
    rounds = asked.parse_args().rounds
    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    from django.test import Client

    from makegood.cases.models import Case
    from makegood.people.models import Role, User

    user = User.objects.filter(role=Role.ADMIN).first() or User.objects.get(role=Role.MANAGER)
    client = Client()
    client.force_login(user)
    bare = timed(lambda: client.get("/healthz"), rounds)
    print(f"a bare view                      p50 {bare[0]:6.1f} ms   p99 {bare[1]:6.1f} ms")
    for language, words in PAGE.items():
        text, nth = (words * 60)[:2990], count()
        look_at_words = partial(words_alone, text, language, nth)
        pure = timed(look_at_words, rounds)
        print(f"{language:8} the words alone         p50 {pure[0]:6.1f} ms   p99 {pure[1]:6.1f} ms")
        case = Case.objects.filter(language=language, ended_at__isnull=True).first()
        if case is None:
            continue
        address = f"/cases/{case.number}/check/"
        send = partial(request, client, address, text, nth)
        assert send().status_code == 200
        look = timed(send, rounds)
        print(
            f"{language:8} the whole request       p50 {look[0]:6.1f} ms   p99 {look[1]:6.1f} ms"
            f"   {look[0] / bare[0]:.1f} times the bare view"
        )


if __name__ == "__main__":
    main()
