"""The hard letters of ../shared/data/mail: never committed, skipped where they are not at hand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from makegood.text.letters import Letter, Unreadable, read
from tests.text.letters.test_hostile import sound

DATA = next(
    (
        folder / "shared/data/mail"
        for folder in Path(__file__).parents
        if (folder / "shared/data/mail").is_dir()
    ),
    None,
)
pytestmark = [
    pytest.mark.skipif(DATA is None, reason="the letters of ../shared/data/mail are not at hand"),
    pytest.mark.slow,
]

# Shown to be no letters, or letters with nothing in them, by a look at each.
NO_LETTERS = {
    "malformedHeader-noheader.msg",
    "malformedHeaderStartsBody-noheader.msg",
    "multipartnestedemptypartsnorfc822.msg",
    "msg_18.txt",
    "msg_19.txt",
}
# A person passing on a report, and two that the set itself names 'not a bounce'.
PERSONS = {"lhost-sendmail-14.eml", "make-test-36.eml", "is-not-bounce-01.eml", "is-not-bounce-02.eml"}
# In the ordinary sets, but written by machines or lists: looked at one by one.
MACHINES = {
    "bad_date_header.eml", "empty_in_reply_to.eml", "raw_email_with_mimepart_without_content_type.eml", "multi_address_bounce1.eml", "multi_address_bounce2.eml", "report_422.eml", "report_530.eml",
    "multipart_report_multiple_status.eml", "badbound.msg", "jt-0498.msg", "msg_05.txt", "msg_16.txt", "msg_25.txt", "msg_32.txt", "msg_33.txt", "msg_42.txt", "msg_43.txt",
}  # fmt: skip


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Letter | Unreadable]]:
    assert DATA is not None
    home = tmp_path_factory.mktemp("letters")
    for packed in sorted(DATA.glob("*.tar.zst")):
        subprocess.run(["tar", "--zstd", "-xf", str(packed), "-C", str(home)], check=True)
    found: dict[Path, Letter | Unreadable] = {}
    for pattern in (
        "sisimai/maildir/*/*.eml",
        "ruby-mail/**/*.eml",
        "mime4j/core/**/*.msg",
        "python-test_email/*.txt",
    ):
        for path in sorted(home.glob(pattern)):
            try:
                found[path.relative_to(home)] = read(path.read_bytes())
            except Unreadable as told:
                found[path.relative_to(home)] = told
    yield found


def test_each_has_a_body_or_a_reason_why_not(letters: dict[Path, Letter | Unreadable]):
    assert len(letters) > 1000
    unreadable = {path.name: told.code for path, told in letters.items() if isinstance(told, Unreadable)}
    assert set(unreadable) == NO_LETTERS
    assert "defect" not in unreadable.values()
    for path, seen in letters.items():
        if isinstance(seen, Letter):
            assert sound(seen), path
            assert seen.text.strip() or seen.parts or seen.set_aside or seen.subject, path


def test_machines_are_told_from_people(letters: dict[Path, Letter | Unreadable]):
    taken_for_persons, taken_for_machines = set(), set()
    for path, seen in letters.items():
        machine = ("sisimai" in path.parts and path.name not in PERSONS) or path.name in MACHINES
        if isinstance(seen, Letter) and machine and not seen.automatic:
            taken_for_persons.add(path.name)
        if isinstance(seen, Letter) and not machine and seen.automatic:
            taken_for_machines.add(path.name)
    assert (taken_for_persons, taken_for_machines) == (set(), set())


def test_what_came_back_is_named(letters: dict[Path, Letter | Unreadable]):
    bounces = [
        seen.bounce
        for path, seen in letters.items()
        if "sisimai" in path.parts and isinstance(seen, Letter) and seen.bounce
    ]
    assert len(bounces) > 780
    assert sum(bool(bounce.recipients) for bounce in bounces) / len(bounces) > 0.97
    assert sum(bool(bounce.original_message_id) for bounce in bounces) / len(bounces) > 0.8
