"""Which of the three languages a message is written in, by its scripts. No dictionary, no model."""

from __future__ import annotations

import re

from makegood.base.languages import EN, KO, ZH

# Addresses, and words that hold a digit (ORD-123456, 256GB), are written alike in every language: they tell nothing.
# Every run is bounded: Chinese has no blanks, and an unbounded one before the '@' was tried at each of its characters.
_TELLS_NOTHING = re.compile(
    r"https?://\S+|www\.\S+|[A-Za-z0-9._%+-]{1,64}@[^\s@]{1,64}\.[A-Za-z0-9.-]{1,64}|[^\W\d_]{0,24}[-_#]?\d[A-Za-z0-9_-]*",
    re.IGNORECASE,
)
_HANGUL = re.compile("[가-힣ㄱ-ㅣᄀ-ᇿ]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA = re.compile("[ぁ-ゖァ-ヺｦ-ﾝ]")
_LATIN_WORD = re.compile("[A-Za-zÀ-ɏ]+(?:['’][A-Za-z]+)?")
# Longer texts are judged by their beginning: the answer does not change and a pasted log costs nothing.
_ENOUGH = 4000


def detect(text: str, default: str = EN) -> str:
    """The language of ``text``: "ko", "zh-hans" or "en".

    ``default`` answers where the script cannot: no letters at all (emoji, an order number), one word of two
    letters ("ok"), Japanese, and alphabets that are neither Latin nor ours. Give the language of the case.
    A single の inside Chinese is decoration, so kana count as Japanese only from a quarter of the Han characters on.
    """
    sample = _TELLS_NOTHING.sub(" ", text[:_ENOUGH])
    if sample.isascii():
        hangul = han = kana = 0
    else:
        hangul, han, kana = (len(script.findall(sample)) for script in (_HANGUL, _HAN, _KANA))
    words = _LATIN_WORD.findall(sample)
    latin = len(words)
    if kana and kana * 4 >= han and kana > hangul:
        return default
    if hangul and hangul >= latin and hangul * 2 >= han:
        return KO
    if han and han * 2 >= latin:
        return ZH
    if latin > 1 or (words and len(words[0]) > 2):
        return EN
    return default
