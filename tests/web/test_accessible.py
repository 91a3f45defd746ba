"""Everybody can use it: colours that can be read (WCAG 2 AA), and a name on every control."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from makegood.cases import access
from makegood.people import calendars
from tests import cast as stages

SHEET = Path(__file__).resolve().parents[2] / "makegood" / "static" / "makegood" / "makegood.css"
#: (text, ground): every pair in which words stand on a colour.
PAIRS = [
    *((text, ground) for text in ("ink", "soft", "accent", "bad", "warn") for ground in ("paper", "card")),
    ("on-accent", "accent"),
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    ("soft", "accent-soft"),
    ("good", "good-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("ink", "note"),
    ("soft", "note"),
]


def colours() -> dict[str, tuple[str, str]]:
    """Name -> (light, dark), from the one place where colours stand."""
    return {
        name: (light, dark)
        for name, light, dark in re.findall(
            r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", SHEET.read_text()
        )
    }


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2, 'relative luminance')."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_words_stand_out_from_their_ground(text, ground, theme):
    lighter, darker = sorted((luminance(colours()[c][theme]) for c in (text, ground)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


class Controls(HTMLParser):
    """The controls of a page that have no name: no label around them, none for their id, no aria-label, no title."""

    def __init__(self) -> None:
        super().__init__()
        self.labelled: set[str] = set()
        self.inside = 0
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "label":
            self.inside += 1
            self.labelled.add(given.get("for") or "")
        elif (
            tag in ("input", "select", "textarea")
            and given.get("type") not in ("hidden", "submit")
            and not self.inside
        ):
            self.found.append((tag, given))

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag == "label"

    def nameless(self) -> list[str]:
        return [
            f"{tag} {given.get('name')}"
            for tag, given in self.found
            if not (given.get("aria-label") or given.get("title") or given.get("aria-labelledby"))
            and (not given.get("id") or given["id"] not in self.labelled)
        ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["/", "/search/", "/me/", "/people/", "/people/users/new/", "/people/teams/new/", "/people/calendars/", "/people/calendars/new/", "/people/calendars/{k}/", "/people/shops/{s}/clocks/", "/cases/new/", "/cases/{n}/",
     "/report/haneul/", "/c/{t}/", "/sign-in/login/"],
)  # fmt: skip
def test_every_control_has_a_name(cast, client, address):
    case = stages.told(cast)
    if "sign-in" not in address:
        client.force_login(cast.hana)
    page = client.get(
        address.format(
            n=case.number,
            t=access.token_of(case.links.get()),
            k=calendars.standing(cast.haneul)[1].calendar_id,
            s=cast.haneul.pk,
        )
    )
    assert page.status_code == 200
    controls = Controls()
    controls.feed(page.content.decode())
    assert not controls.nameless()
    assert '<main id="main"' in page.content.decode() and 'class="skip"' in page.content.decode()
