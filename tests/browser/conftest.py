"""A real chromium (Debian's). Where there is none the tests skip and say so; .ci/run installs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# Playwright's synchronous door runs an event loop in this thread; the tests still ask the database between two clicks.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium here: apt-get install chromium (bin/check's .ci/run does)")
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=chromium, args=QUIET)
        yield found
        found.close()


@pytest.fixture
def window(browser: Browser, live_server: object) -> Iterator[Callable[..., Page]]:
    """``window(language, user=None)``: a fresh window of its own, signed in as the user where one is given."""
    opened = []

    def open_window(language: str, user: object = None, **options: object) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            locale={"zh-hans": "zh-CN"}.get(language, language),
            **options,  # type: ignore[attr-defined]
        )
        context.set_default_timeout(15_000)
        opened.append(context)
        page = context.new_page()
        context.add_cookies([{"name": "language", "value": language, "url": live_server.url}])  # type: ignore[attr-defined]
        if user is not None:
            page.goto("/sign-in/login/")
            page.fill("input[name=login]", user.email)  # type: ignore[attr-defined]
            page.fill("input[name=password]", "correct horse 9")
            page.click("main button.primary")
            page.wait_for_url("**/")
        return page

    yield open_window
    for context in opened:
        context.close()
