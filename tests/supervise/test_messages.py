"""Catalogues are made from their sources, only when they are older."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

from makegood.management.supervise.messages import compile_messages

SOURCE = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "promise"\nmsgstr "약속"\n\n#, fuzzy\nmsgid "case"\nmsgstr "?"\n'


def test_a_catalogue_is_made_once_and_again_when_its_source_changed(tmp_path: Path) -> None:
    source = tmp_path / "ko" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE)
    target = source.with_suffix(".mo")
    assert compile_messages(tmp_path) == [target]
    assert compile_messages(tmp_path) == []
    with target.open("rb") as file:
        words = gettext.GNUTranslations(file)
    assert words.gettext("promise") == "약속"
    assert words.gettext("case") == "case", "a fuzzy entry is not a translation"
    later = target.stat().st_mtime_ns + 1_000_000_000
    os.utime(source, ns=(later, later))
    assert compile_messages(tmp_path) == [target]
    assert [file.name for file in source.parent.iterdir()].count("django.mo") == 1
