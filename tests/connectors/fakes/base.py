"""What all fakes share: the memory of payments and refunds, the switches, and a server on a free port."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from makegood.base import clock
from makegood.connectors import registry
from makegood.connectors.ports import Connector

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
Answer = tuple[int, Any]


@dataclass
class Move:
    """One refund as the other side keeps it. ``mark``: whatever of ours was sent with it. ``state``: in our words."""

    ref: str
    amount: Decimal
    state: str
    mark: str = ""
    was: str = ""
    at: datetime = field(default_factory=clock.now)


@dataclass
class Pay:
    order: str
    ref: str
    amount: Decimal
    currency: str
    moves: list[Move] = field(default_factory=list)

    @property
    def gone(self) -> Decimal:
        """What has left for the customer and stayed there."""
        return sum((m.amount for m in self.moves if m.state not in ("refused", "reversed")), Decimal(0))

    @property
    def left(self) -> Decimal:
        return self.amount - self.gone


@dataclass
class Switches:
    """What goes wrong from now on. ``lost``: the next write is done, and its answer lost; ``dark``: and no call after it comes through.

    ``broken``: a write is done and answered with trouble. ``strange``: a write is not done and answered with a code that nobody knows.
    ``pending``: refunds stay on their way. ``raced``: somebody else takes this much between our look and our write. ``forgets``: no
    idempotency key is remembered. ``slow``: seconds that every call takes. ``slow_write``: seconds before a write is answered.
    """

    lost: bool = False
    dark: bool = False
    broken: bool = False
    strange: bool = False
    pending: bool = False
    raced: Decimal | None = None
    forgets: bool = False
    slow: float = 0.0
    slow_write: float = 0.0


class Refuses(Exception):
    """The provider says no: ``code`` of ports.REFUSALS, put into its own words by the fake."""


class Fake:
    """One provider. ``hear`` is called with headers and body of each webhook, before the answer to the write that caused it."""

    kind: ClassVar[str]
    #: Whether the provider compares the balance that we send with its own.
    checks_left: ClassVar[bool] = False
    #: Whether it has a memory of keys at all.
    keeps_keys: ClassVar[bool] = False

    def __init__(self) -> None:
        self.pays: dict[str, Pay] = {}
        self.keys: dict[str, Answer] = {}
        self.writes = 0
        self.calls: list[tuple[str, str]] = []
        self.switches = Switches()
        self.hear: Callable[[Mapping[str, str], bytes], None] = lambda headers, body: None
        self.lock = threading.Lock()
        self.began = clock.now()
        self._dark = False

    # -- the server

    def start(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                fake._serve(self)

            do_GET = do_POST = do_DELETE = _any

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def light(self) -> None:
        """The line is up again."""
        self._dark = False
        self.switches = Switches()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def _serve(self, call: BaseHTTPRequestHandler) -> None:
        body = call.rfile.read(int(call.headers.get("Content-Length") or 0))
        parts = urlsplit(call.path)
        headers = {name.lower(): value for name, value in call.headers.items()}
        call.close_connection = True
        if self._dark:
            return
        time.sleep(self.switches.slow)
        write = self.is_write(call.command, parts.path, body)
        self.calls.append((call.command, parts.path))
        status, answer = self._write(parts.path, headers, body) if write else self.reads(
            call.command, parts.path, dict(parse_qsl(parts.query)), headers, body
        )  # fmt: skip
        if write:
            time.sleep(self.switches.slow_write)
            if self.switches.lost:
                self._dark = self.switches.dark
                return
        raw = json.dumps(answer).encode()
        call.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(raw)),
            **self.gives(),
        }.items():
            call.send_header(name, value)
        call.end_headers()
        call.wfile.write(raw)

    def _write(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        with self.lock:
            self.writes += 1
            if self.switches.strange:
                return self.says(400, "A_CODE_NOBODY_KNOWS")
            if self.switches.raced:
                for pay in self.pays.values():
                    pay.moves.append(Move("else-1", self.switches.raced, "paid_out"))
                self.switches.raced = None
            key = self.key_of(headers)
            if self.keeps_keys and key in self.keys and not self.switches.forgets:
                return self.keys[key]
            try:
                answer = self.acts(path, headers, body)
            except Refuses as no:
                answer = self.says(400, self.WORDS[no.args[0]])
            self.keys[key] = answer
            return self.trouble() if self.switches.broken else answer

    # -- what a provider fills in

    #: codes of ports.REFUSALS in the provider's own words
    WORDS: ClassVar[Mapping[str, str]]

    def is_write(self, method: str, path: str, body: bytes) -> bool:
        return method == "POST"

    def reads(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Answer:
        raise NotImplementedError

    def acts(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        raise NotImplementedError

    def says(self, status: int, code: str) -> Answer:
        raise NotImplementedError

    def trouble(self) -> Answer:
        """How it answers when it stumbles after the deed."""
        return self.says(500, "INTERNAL")

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("idempotency-key", "")

    def gives(self) -> dict[str, str]:
        """Headers of every answer."""
        return {}

    def hook(self, pay: Pay, move: Move) -> tuple[dict[str, str], bytes]:
        """The webhook for a refund as it stands: here the small plug-in that posts CloudEvents."""
        types = {"sent": "sent", "paid_out": "paid_out", "refused": "failed", "reversed": "reversed"}
        event = {
            "specversion": "1.0",
            "id": f"{move.ref}-{move.state}",
            "source": "/fake",
            "type": f"refund.{types[move.state]}.v1",
            "subject": pay.order,
            "time": move.at.isoformat(),
            "data": {
                "ref": move.ref,
                "money": {"amount": str(move.amount), "currency": pay.currency},
                "payment": pay.ref,
                "reason": move.mark,
            },
        }
        return signed(event, f"{move.ref}-{move.state}")

    def settings(self) -> dict[str, str]:
        return {"address": self.url, "key": "sk_test_1", "secret": SECRET}

    # -- what a test does

    def connector(self, seconds: float = 5.0) -> Connector:
        return registry.open(self.kind, self.settings(), seconds=seconds)

    def pay(self, amount: str, currency: str, order: str = "HN-1", ref: str = "P-1") -> Pay:
        self.pays[ref] = Pay(order, ref, Decimal(amount), currency)
        return self.pays[ref]

    def refunded(self, amount: Decimal, pay: Pay, mark: str) -> Move:
        """A refund is made; its webhook goes out before anybody is answered."""
        if amount > pay.left:
            raise Refuses("over_balance")
        move = Move(f"R-{len(pay.moves) + 1}", amount, "sent" if self.switches.pending else "paid_out", mark)
        pay.moves.append(move)
        self.hear(*self.hook(pay, move))
        return move

    def becomes(self, pay: Pay, move: Move, state: str) -> tuple[dict[str, str], bytes]:
        """The bank says more, a minute later; the webhook that tells it."""
        move.was, move.state, move.at = move.state, state, move.at + timedelta(minutes=1)
        return self.hook(pay, move)

    def refunds(self, pay: Pay) -> list[Move]:
        return pay.moves

    def somebody_else(self, pay: Pay, amount: str) -> None:
        """A colleague in the provider's own console."""
        pay.moves.append(Move(f"else-{len(pay.moves)}", Decimal(amount), "paid_out"))


def signed(
    event: Any, id_: str, at: datetime | None = None, secret: str = SECRET
) -> tuple[dict[str, str], bytes]:
    """Standard Webhooks, as a provider signs; written here a second time so that ours is not checked by itself."""
    body, seconds = json.dumps(event).encode(), str(int((at or clock.now()).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256).digest()
    given = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": id_, "webhook-timestamp": seconds, "webhook-signature": given}
    return headers, body


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
