"""What a careful agent does before sending: answers for the times in the words, and for what needs a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from makegood.demo.tale import Tale
from makegood.desk import checking
from makegood.desk.saying import GivenTime


def answered_for(tale: Tale, text: str, verb: str, due: datetime) -> dict[str, Any]:
    """What ``reply`` and ``tell`` want to know beside the text of the letter that is about to go out."""
    by = tale.by(tale.owner)
    seen = checking.look(tale.here, text, by=by, verb=verb)
    open_ = [o for o in seen.offers if not checking.heard(o, due, (), ())]
    return {
        "text": text,
        "promises": [GivenTime(o.what, o.at, o.given.quote) for o in open_ if o.possible and o.at],
        "declined": [o.given.quote for o in open_ if not o.possible],
        "justified": {t.finding.rule: tale.phrase("approved") for t in seen.findings if t.level == "justify"},
    }
