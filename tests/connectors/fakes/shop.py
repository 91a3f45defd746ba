"""The tiny example shop itself, with the switches around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from examples.shop.shop import Shop
from tests.connectors.fakes.base import SECRET, Answer, Fake, Move, Pay, iso, signed


class FakeShop(Fake):
    kind = "generic"
    keeps_keys = checks_left = True
    WORDS: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop(SECRET, lambda headers, body: self.hear(headers, body))

    def is_write(self, method: str, path: str, body: bytes) -> bool:
        return path.strip("/") not in ("able", "read", "look")

    def reads(self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Answer:  # fmt: skip
        return self.shop.answer(path.strip("/"), headers, body)

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        for pay in self.pays.values():  # what a colleague did meanwhile
            for move in pay.moves:
                self._known(pay, move)
            pay.moves.clear()
        self.shop.refund_state = "sent" if self.switches.pending else "paid_out"
        if self.switches.forgets:
            self.shop.deeds = {
                f"{number} forgotten": deed for number, deed in enumerate(self.shop.deeds.values())
            }
        return self.shop.answer(path.strip("/"), headers, body)

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("webhook-id", "")

    def says(self, status: int, code: str) -> Answer:
        return status, {"outcome": "refused", "code": code}

    def trouble(self) -> Answer:
        return 500, {"message": "trouble"}

    def settings(self) -> dict[str, str]:
        return {"address": self.url, "secret": SECRET}

    def pay(self, amount: str, currency: str, order: str = "HN-1", ref: str = "P-1") -> Pay:
        self.shop.pay(order, ref, amount, currency, ({"ref": "L-1", "name": "Blue tea cup", "quantity": 2},))
        return super().pay(amount, currency, order, ref)

    def refunds(self, pay: Pay) -> list[Move]:
        found = self.shop.refunds(self.shop.payments[pay.ref])
        return [Move(one["ref"], Decimal(one["money"]["amount"]), one["state"], one["ours"]) for one in found]

    def becomes(self, pay: Pay, move: Move, state: str) -> tuple[dict[str, str], bytes]:
        deed = next(one for one in self.shop.deeds.values() if one["ref"] == move.ref)
        deed["state"] = state
        event = self.shop.deed_event(deed)
        event["time"] = iso(move.at + timedelta(minutes=1))
        return signed(event, event["id"])

    def hook(self, pay: Pay, move: Move) -> tuple[dict[str, str], bytes]:
        event = self.shop.deed_event(next(one for one in self.shop.deeds.values() if one["ref"] == move.ref))
        event["time"] = iso(move.at)
        return signed(event, event["id"])

    def somebody_else(self, pay: Pay, amount: str) -> None:
        self._known(pay, Move(f"else-{len(self.shop.deeds)}", Decimal(amount), "paid_out"))

    def _known(self, pay: Pay, move: Move) -> None:
        deed: dict[str, Any] = {
            "action": "refund",
            "payment": pay.ref,
            "order": pay.order,
            "ref": move.ref,
            "state": move.state,
            "money": {"amount": str(move.amount), "currency": pay.currency},
            "ours": "",
        }
        self.shop.deeds[f"refund {move.ref}"] = json.loads(json.dumps(deed))
