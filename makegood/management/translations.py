"""Are the three languages complete? Extracts every message, compares the catalogues, and says what is missing.

    python -m makegood.management.translations            check: exit 1 with each gap in one line
    python -m makegood.management.translations --update   take new messages into the catalogues, drop those gone

English messages are the ids; ko and zh_Hans must hold each of them: translated, not fuzzy, with the same placeholders
(law 8). Works without GNU gettext: Django turns a template into Python-like text, and Babel reads both.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ko", "zh_Hans")
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "spoken": None,
    "_": None,
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w+)\}")


def found() -> Catalog:
    """Every message of the code and the templates."""
    catalog = Catalog(project="Makegood", charset="utf-8")
    for path, source in sources():
        for line, message, _comments, context in extract(
            "python", io.BytesIO(source.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"}
        ):
            catalog.add(message, locations=[(path, line)], context=context)
    return catalog


def sources() -> Iterator[tuple[str, str]]:
    """Path (from the project's root) and Python text of every file that may hold messages."""
    for path in sorted(ROOT.rglob("*.py")):
        if "migrations" not in path.parts:
            yield str(path.relative_to(ROOT.parent)), path.read_text("utf-8")
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            name = str(path.relative_to(ROOT.parent))
            yield name, templatize(path.read_text("utf-8"), origin=name)


def catalogue(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def gaps(language: str, wanted: Catalog) -> list[str]:
    """What is wrong with one catalogue, a line each."""
    path = catalogue(language)
    if not path.exists():
        return [f"{language}: there is no catalogue"]
    with path.open("rb") as file:
        have = read_po(file, locale=language)
    wrong = []
    for message in wanted:
        if not message.id:
            continue
        kept = have.get(message.id, message.context)
        said = words(kept) if kept else []
        key = message.id if isinstance(message.id, str) else message.id[0]
        if not kept or not said or not all(said):
            wrong.append(f"{language}: not translated: {key!r} ({message.locations[0][0]})")
        elif kept.fuzzy:
            wrong.append(f"{language}: fuzzy: {key!r}")
        elif any(placeholders(s) != placeholders(key) for s in said) and not plural_without_number(
            message, said
        ):
            wrong.append(f"{language}: other placeholders: {key!r} -> {said}")
    wanted_ids = {(m.id if isinstance(m.id, str) else m.id[0], m.context) for m in wanted}
    for message in have:
        key = message.id if isinstance(message.id, str) else message.id[0]
        if key and (key, message.context) not in wanted_ids:
            wrong.append(f"{language}: nobody says this any more: {key!r}")
    return wrong


def words(message: Message) -> list[str]:
    said = message.string
    return [said] if isinstance(said, str) else list(said or ())


def placeholders(text: str) -> list[str]:
    return sorted(m.group(0) for m in _PLACEHOLDER.finditer(text.replace("%%", "")))


def plural_without_number(message: Message, said: list[str]) -> bool:
    """'1 minute ago' may spell the number: then the plural's placeholders are the ones that count."""
    return isinstance(message.id, tuple) and all(placeholders(s) == placeholders(message.id[1]) for s in said)


def update() -> None:
    """Take the present messages into every catalogue; translations that still fit are kept, nothing is guessed."""
    for language in LANGUAGES:
        path = catalogue(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        have = Catalog(locale=language, project="Makegood", charset="utf-8")
        if path.exists():
            with path.open("rb") as file:
                have = read_po(file, locale=language)
        have.update(found(), no_fuzzy_matching=True)
        have.obsolete.clear()
        have.fuzzy = False
        have.creation_date = datetime(2026, 11, 22, tzinfo=UTC)  # else every run changes the file
        have.header_comment = "# Makegood: English ids, written by hand for each language."
        with path.open("wb") as file:
            write_po(file, have, width=110, no_location=True, sort_output=True, ignore_obsolete=True)


def main() -> int:
    settings.configure(USE_I18N=True)
    django.setup()
    if "--update" in sys.argv:
        update()
    wanted = found()
    wrong = [line for language in LANGUAGES for line in gaps(language, wanted)]
    print("\n".join(wrong) or f"{len(wanted)} messages, complete in {', '.join(LANGUAGES)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
