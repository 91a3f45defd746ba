"""The line over which an answer to our letter is written: ours to write, and ours to find in what comes back."""

from __future__ import annotations

import re

from makegood.base.languages import EN, KO, ZH, closest

#: Constants, not translations: a line that was sent last year must be found for as long as letters are answered.
MARKERS = {
    KO: "── 답장은 이 줄 위에 적어 주세요 ──",
    ZH: "── 请在此行上方回复 ──",
    EN: "── Please write your answer above this line ──",
}
_PLAIN = "|".join(re.escape(marker.strip("─ ")).replace(r"\ ", r"\s+") for marker in MARKERS.values())
#: A line with one of the markers, also quoted ('> ') and with its dashes rewritten by a mail program.
LINE = re.compile(rf"[\s>＞|*_─—–-]{{0,40}}(?:{_PLAIN})[\s*_─—–-]{{0,40}}", re.IGNORECASE)


def marker(language: str | None) -> str:
    """The line in this language."""
    return MARKERS[closest(language)]
