"""The numbers beside the names of the navigation, in one query, for every page of the desk draws them."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import connection

from makegood.cases.models import Notice
from makegood.desk.notices import MOST_COUNTED
from makegood.escalation import duty


class Numbers(NamedTuple):
    """``unseen`` notices, and cases ``offered`` to this person that wait for their word; MOST_COUNTED: that many or more."""

    unseen: int
    offered: int


def numbers(user_id: int) -> Numbers:
    """Both numbers of this person."""
    rows = (Notice.objects.filter(user_id=user_id, seen_at__isnull=True), duty.offered_to(user_id))
    parts: list[str] = []
    params: list[Any] = []
    for found in rows:
        sql, values = found.order_by().values_list("pk")[:MOST_COUNTED].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS one_number)")
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return Numbers(*cursor.fetchone())
