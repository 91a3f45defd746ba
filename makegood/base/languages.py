"""The three languages, text that exists in all three, and speaking in one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils import translation

KO, ZH, EN = "ko", "zh-hans", "en"
LANGUAGES = ((KO, "한국어"), (ZH, "简体中文"), (EN, "English"))
CODES = tuple(code for code, _ in LANGUAGES)


@dataclass(frozen=True)
class Text3:
    """A text that must exist in all three languages; ``str()`` speaks the language that is active."""

    ko: str
    zh: str
    en: str

    @classmethod
    def of(cls, raw: Mapping[str, str]) -> Text3:
        """From ``{"ko": …, "zh": …, "en": …}``; raises ValueError when one is missing, empty or unknown."""
        if set(raw) != {"ko", "zh", "en"} or not all(isinstance(v, str) and v.strip() for v in raw.values()):
            raise ValueError(f"needs exactly ko, zh and en, none empty: {dict(raw)!r}")
        return cls(**raw)

    def into(self, language: str | None) -> str:
        return {KO: self.ko, ZH: self.zh}.get(closest(language), self.en)

    def __str__(self) -> str:
        return self.into(translation.get_language())


def closest(language: str | None, default: str = EN) -> str:
    """The one of our three codes that stands for ``language`` ('zh', 'zh_Hans', 'zh-CN', 'ko-KR' …)."""
    head = (language or "").lower().replace("_", "-").split("-")[0]
    return {"ko": KO, "zh": ZH, "en": EN}.get(head, default)


@contextmanager
def speaking(language: str | None) -> Iterator[str]:
    """Speak the recipient's language while the block runs (law 8), never the agent's."""
    code = closest(language)
    with translation.override(code):
        yield code
