"""A tiny shop that speaks Makegood's generic connector: one file, the standard library, one order in memory.

    python examples/shop/shop.py --port 9000 --secret whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
    … --tell http://127.0.0.1:8000/events/shop/      posts an event for everything that happens

Connect it as kind ``generic`` with address http://127.0.0.1:9000 and the same secret; Makegood must be told that this host lies
inside the house: MAKEGOOD_SHOPS_INSIDE=127.0.0.1. It shows the four things that keep money safe:

1. every call is signed (Standard Webhooks), and one that is not is answered by ``not_allowed``
2. what was asked under one ``ours`` is done once, however often it is asked
3. ``expected_left`` is compared with the balance in the same step as the refund
4. ``look`` says what became of an ask, and says so plainly when nothing did
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
ACTIONS = ("refund", "cancel", "return_open", "replace", "credit", "invoice_correct", "freeze")
#: What each action leaves behind: the first letter of its ref, and its state.
LEAVES = {
    "cancel": ("O", "cancelled"),
    "return_open": ("RT", "approved"),
    "replace": ("O", "open"),
    "credit": ("C", "granted"),
    "invoice_correct": ("I", "corrected"),
}
TYPES = {
    "refund": {
        "sent": "refund.sent",
        "paid_out": "refund.paid_out",
        "reversed": "refund.reversed",
        "refused": "refund.failed",
    },
    "cancel": {"cancelled": "order.cancelled"},
    "return_open": {"approved": "return.approved"},
    "replace": {"open": "order.placed"},
    "credit": {"granted": "credit.granted"},
    "invoice_correct": {"corrected": "invoice.corrected"},
    "freeze": {"taken": "payment.captured"},
}


class Shop:
    """Orders, payments and what was done for customers, behind one lock."""

    def __init__(self, secret: str, tell: Callable[[dict[str, str], bytes], None] | None = None) -> None:
        self.secret, self.tell = secret, tell
        self.payments: dict[str, Json] = {}
        self.deeds: dict[str, Json] = {}  # by action and our caller's reference
        self.lock = threading.Lock()
        self.refund_state = "paid_out"
        self.sequence = 0

    def pay(self, order: str, payment: str, amount: str, currency: str, lines: tuple[Json, ...] = ()) -> None:
        """A customer ordered and paid. ``lines``: {ref, name, quantity, price of one}; by ``ref`` a part can be given back."""
        self.payments[payment] = {
            "order": order,
            "ref": payment,
            "amount": Decimal(amount),
            "currency": currency,
            "lines": list(lines),
            "frozen": False,
        }

    def left(self, payment: Json) -> Decimal:
        """What can still go back: all that has not gone back and stayed there."""
        gone = [
            one["money"]["amount"]
            for one in self.refunds(payment)
            if one["state"] not in ("refused", "reversed")
        ]
        return payment["amount"] - sum(map(Decimal, gone), Decimal(0))

    def refunds(self, payment: Json) -> list[Json]:
        return [
            one
            for one in self.deeds.values()
            if one["action"] == "refund" and one["payment"] == payment["ref"]
        ]

    # -- the calls

    def answer(self, call: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Json]:
        """Status and body of one call."""
        if not self.signed(headers, body):
            return 401, {"code": "not_allowed"}
        asked = json.loads(body)
        if asked.get("call") != call:
            return 401, {"code": "not_allowed"}  # signed for another call
        if call == "able":
            return 200, self.able()
        if call == "read":
            return 200, {"things": self.things(asked["noun"], asked["ref"])}
        if call == "look":
            with self.lock:
                return 200, self.look(asked)
        if call in ACTIONS:
            return 200, self.act(call, asked)
        return 404, {"code": "not_able"}

    def able(self) -> Json:
        return {
            "actions": list(ACTIONS),
            "partial": True,
            "without_return": True,
            "slow_refunds": True,
            "finds_ours": True,
            "proves_absence": True,
            "checks_left": True,
            "tells_reversal": True,
            "keeps_keys_hours": None,
            "nouns": ["order", "payment", "refund"],
            "reasons": [],
            "clocks": [],
        }

    def look(self, asked: Json) -> Json:
        payment = self.found(asked)
        if not payment:
            return {"there": False}
        same = (asked["action"], asked["ours"])
        ours = next((one for one in self.deeds.values() if (one["action"], one["ours"]) == same), None)
        locked = asked["action"] == "refund" and payment["frozen"] and not ours
        return {
            "ours": outcome(ours) if ours else None,
            "left": self.money(payment, self.left(payment)),
            "why": "locked" if locked else "",
        }

    def act(self, action: str, asked: Json) -> Json:
        with self.lock:
            key = f"{action} {asked['ours']}"
            if key in self.deeds:
                return outcome(self.deeds[key])
            payment = self.found(asked)
            if not payment:
                return {"outcome": "refused", "code": "not_there"}
            money = asked.get("money")
            if not self.has(payment, asked.get("lines") or []):
                return {"outcome": "refused", "code": "unfit"}
            if action == "refund":
                left, expected = self.left(payment), asked.get("expected_left")
                if payment["frozen"]:
                    return {"outcome": "refused", "code": "locked"}
                if money["currency"] != payment["currency"]:
                    return {"outcome": "refused", "code": "unfit"}
                if expected and Decimal(expected["amount"]) != left:
                    return {
                        "outcome": "refused",
                        "code": "changed_meanwhile",
                        "left": self.money(payment, left),
                    }
                if Decimal(money["amount"]) > left:
                    return {"outcome": "refused", "code": "over_balance" if left else "already_done"}
                letter, state = "R", self.refund_state
            elif action == "freeze":
                self.freeze(payment, asked.get("reason", ""))
                letter, state = "P", "taken"
            else:
                letter, state = LEAVES[action]
            deed = {
                "action": action,
                "payment": payment["ref"],
                "order": payment["order"],
                # A freeze makes nothing new: its result is the payment itself.
                "ref": payment["ref"] if action == "freeze" else f"{letter}-{len(self.deeds) + 1}",
                "state": state,
                "money": money,
                "ours": asked["ours"],
                "reason": asked.get("reason", ""),
                "lines": asked.get("lines") or [],
            }
            self.deeds[key] = deed
            done = {**outcome(deed), "left": self.money(payment, self.left(payment))}
        self.happened(deed)
        return done

    def freeze(self, payment: Json, what: str) -> None:
        """Nobody takes anything out of it any more. ``what``: 'payment', or 'account' for all that its customer paid (here: the order)."""
        for one in self.payments.values():
            if one is payment or (what == "account" and one["order"] == payment["order"]):
                one["frozen"] = True

    def has(self, payment: Json, lines: list[Json]) -> bool:
        """Whether the order has these lines, and so many of each."""
        there = {line["ref"]: line["quantity"] for line in payment["lines"]}
        return all(line["quantity"] <= there.get(line["ref"], 0) for line in lines)

    def becomes(self, deed: Json, state: str) -> None:
        """The bank says more: paid out, refused, sent back."""
        deed["state"] = state
        self.happened(deed)

    # -- what it tells

    def things(self, noun: str, ref: str) -> list[Json]:
        events = []
        for payment in self.payments.values():
            if noun in ("order", "payment") and ref == payment["order" if noun == "order" else "ref"]:
                if noun == "order":
                    told = {"lines": payment["lines"]} if payment["lines"] else {}
                    events.append(
                        self.event(
                            "order.placed", payment["order"], payment["order"], self.money(payment), **told
                        )
                    )
                events.append(self.payment_event(payment))
                events += [self.deed_event(one) for one in self.refunds(payment)]
        if noun == "refund":
            events = [self.deed_event(one) for one in self.deeds.values() if one["ref"] == ref]
        return events

    def payment_event(self, payment: Json) -> Json:
        more = {"left_to_refund": str(self.left(payment)), "locked": payment["frozen"]}
        return self.event("payment.captured", payment["ref"], payment["order"], self.money(payment), **more)

    def deed_event(self, deed: Json) -> Json:
        more = {"payment": deed["payment"], "our_key": deed["ours"]} if deed["action"] == "refund" else {}
        if deed["action"] == "freeze":
            return self.payment_event(self.payments[deed["payment"]])
        type_ = TYPES[deed["action"]][deed["state"]]
        return self.event(type_, deed["ref"], deed["order"], deed["money"], **more)

    def event(self, type_: str, ref: str, order: str, money: Json | None, **more: Any) -> Json:
        self.sequence += 1
        return {
            "specversion": "1.0",
            "id": f"{ref}-{self.sequence}",
            "source": "/examples/shop",
            "type": f"{type_}.v1",
            "subject": order,
            "time": datetime.fromtimestamp(time.time(), UTC).isoformat(),
            "sequence": str(self.sequence),
            "data": {"ref": ref, "order": order, **({"money": money} if money else {}), **more},
        }

    def happened(self, deed: Json) -> None:
        if self.tell:
            self.tell(*self.letter(self.deed_event(deed)))

    def letter(self, event: Json) -> tuple[dict[str, str], bytes]:
        """An event with its signature."""
        body, seconds = json.dumps(event).encode(), str(int(time.time()))
        given = self.sign(event["id"], seconds, body)
        return {"webhook-id": event["id"], "webhook-timestamp": seconds, "webhook-signature": given}, body

    # -- small things

    def money(self, payment: Json, amount: Decimal | None = None) -> Json:
        value = payment["amount"] if amount is None else amount
        return {"amount": str(value), "currency": payment["currency"]}

    def found(self, asked: Json) -> Json | None:
        if asked.get("payment"):
            return self.payments.get(asked["payment"])
        return next((one for one in self.payments.values() if one["order"] == asked["order"]), None)

    def sign(self, id_: str, seconds: str, body: bytes) -> str:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256).digest()
        return "v1," + base64.b64encode(digest).decode()

    def signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        low = {name.lower(): value for name, value in headers.items()}
        id_, seconds, given = (low.get(f"webhook-{one}", "") for one in ("id", "timestamp", "signature"))
        fresh = seconds.isdigit() and abs(time.time() - int(seconds)) < 300
        return fresh and any(hmac.compare_digest(self.sign(id_, seconds, body), one) for one in given.split())


def outcome(deed: Json) -> Json:
    """A deed as an answer: a refund that the bank turned down is no refund."""
    failed = deed["state"] == "refused"
    return {
        "outcome": "refused" if failed else "done",
        "code": "declined" if failed else "",
        "ref": deed["ref"],
        "state": deed["state"],
        "money": deed["money"],
    }


def serve(shop: Shop, port: int) -> ThreadingHTTPServer:
    """The shop on this machine; ``serve_forever`` is the caller's."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = shop.answer(self.path.strip("/"), dict(self.headers), body)
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--secret", required=True, help="whsec_ and base64, at least 16 bytes")
    parser.add_argument("--tell", help="where its events are posted")
    given = parser.parse_args()

    def tell(headers: dict[str, str], body: bytes) -> None:
        kind = {"Content-Type": "application/cloudevents+json"}
        try:
            urllib.request.urlopen(
                urllib.request.Request(given.tell, body, {**headers, **kind}), timeout=5
            ).close()
        except OSError as trouble:
            print(f"Nobody took the event: {trouble}")

    shop = Shop(given.secret, tell if given.tell else None)
    cups = {"ref": "L-1", "name": "Blue tea cup", "quantity": 2, "price": "19500"}
    shop.pay("HN-1001", "P-1001", "39000", "KRW", (cups,))
    print(f"One order, HN-1001 (payment P-1001, 39000 KRW), at http://127.0.0.1:{given.port}")
    serve(shop, given.port).serve_forever()


if __name__ == "__main__":
    main()
