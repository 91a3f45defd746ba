"""Installs Vendure once (var/vendure, by package.json), starts it on a database of its own, and speaks for Jiwoo and the packer."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from makegood.management.supervise.places import var

HERE = Path(__file__).parent
NO_NPM = "There is no npm and node here: the real Vendure is not tried (apt-get install nodejs npm)."

#: Seconds for one installation: a registry that is slower would cost the whole run its time.
PATIENCE = 300
#: What npm says of a registry that is away; anything else (a package that does not fit) fails where CI runs.
OUT_OF_REACH = (
    "ETIMEDOUT",
    "ENOTFOUND",
    "ECONNREFUSED",
    "ECONNRESET",
    "EAI_AGAIN",
    "E500",
    "E502",
    "E503",
    "E504",
)


def installed() -> Path:
    """The folder with node_modules as package.json asks; made at the first use. Skips where npm is absent or has no packages."""
    if not (shutil.which("npm") and shutil.which("node")):
        pytest.skip(NO_NPM)
    place, wanted = var() / "vendure", (HERE / "package.json").read_text()
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two workers of one run
        return _installed(place, wanted)


def _installed(place: Path, wanted: str) -> Path:
    done = place / "installed.json"
    if done.exists() and done.read_text() == wanted:
        return place
    (place / "package.json").write_text(wanted)
    # No install scripts: what Vendure needs here is plain JavaScript or ships its binary, and nothing is built or downloaded.
    command = "npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error --prefer-offline"
    said = ""
    for _ in range(2):  # a registry that was slow once
        try:
            ran = subprocess.run(
                command.split(), cwd=place, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired:
            said = f"ETIMEDOUT after {PATIENCE} s"
            break
        if not ran.returncode:
            done.write_text(wanted)
            return place
        said = ran.stderr[-2000:]
    if os.environ.get("CI") and not any(word in said for word in OUT_OF_REACH):
        raise RuntimeError(f"npm could not install Vendure:\n{said}")
    pytest.skip(f"npm could not fetch Vendure here, so the real one is not tried: {said[-300:]}")


@dataclass
class Shop:
    """A running Vendure. ``mode``: how its payment provider answers the next refund."""

    url: str
    password: str
    modes: Path
    _tokens: dict[str, str] = field(default_factory=dict)

    def mode(self, word: str) -> None:
        self.modes.write_text(word)

    def asks(self, who: str, question: str, **values: Any) -> Any:
        """``who``: 'shop' for the customer, 'admin' for the house."""
        headers = {"Authorization": f"Bearer {self._tokens[who]}"} if who in self._tokens else {}
        reply = httpx.post(
            f"{self.url}/{who}-api",
            json={"query": question, "variables": values},
            headers=headers,
            timeout=30,
            trust_env=False,
        )
        if token := reply.headers.get("vendure-auth-token"):
            self._tokens[who] = token
        found = reply.json()
        assert "errors" not in found, found["errors"]
        answer = next(iter(found["data"].values()))
        assert not (isinstance(answer, Mapping) and answer.get("errorCode")), answer
        return answer

    def enter(self) -> None:
        """Hana signs in."""
        self.asks(
            "admin", f'mutation {{ login(username: "hana", password: "{self.password}") {{ __typename }} }}'
        )

    def settings(self) -> dict[str, str]:
        return {"address": f"{self.url}/admin-api", "user": "hana", "password": self.password}

    def bought(self, quantity: int = 2) -> tuple[str, str]:
        """Jiwoo buys cups and pays; the order's code and the payment's id."""
        self._tokens.pop("shop", None)
        fails = "... on ErrorResult { errorCode message }"
        self.asks(
            "shop",
            f'mutation {{ addItemToOrder(productVariantId: "1", quantity: {quantity}) {{ __typename {fails} }} }}',
        )
        self.asks(
            "shop",
            'mutation { setCustomerForOrder(input: {firstName: "Jiwoo", lastName: "Han", emailAddress: '
            f'"jiwoo-{secrets.token_hex(4)}@customer.example"}}) {{ __typename {fails} }} }}',
        )
        self.asks(
            "shop",
            'mutation { setOrderShippingAddress(input: {fullName: "Jiwoo", streetLine1: "1", city: "Seoul", '
            f'countryCode: "KR"}}) {{ __typename {fails} }} }}',
        )
        self.asks(
            "shop", f'mutation {{ setOrderShippingMethod(shippingMethodId: ["1"]) {{ __typename {fails} }} }}'
        )
        self.asks(
            "shop",
            'mutation { transitionOrderToState(state: "ArrangingPayment") { __typename '
            "... on OrderStateTransitionError { errorCode message transitionError } } }",
        )
        order = self.asks(
            "shop",
            'mutation { addPaymentToOrder(input: {method: "till", metadata: {}}) { __typename '
            f"... on Order {{ code state }} {fails} }} }}",
        )
        assert order["state"] == "PaymentSettled"
        found = self.order(order["code"])
        return order["code"], found["payments"][0]["id"]

    def order(self, code: str) -> Any:
        """Its own state, read by another way than the connector's."""
        return self.asks(
            "admin",
            "query($code: String!) { orders(options: {filter: {code: {eq: $code}}}) { items { id code state lines { id "
            "quantity } payments { id state amount refunds { id total state reason lines { orderLineId quantity } } } fulfillments { id state } } } }",
            code=code,
        )["items"][0]

    def sent(self, code: str, *states: str) -> None:
        """The packer packs all of it, and the parcel goes through ``states``."""
        order = self.order(code)
        parcel = self.asks(
            "admin",
            "mutation($input: FulfillOrderInput!) { addFulfillmentToOrder(input: $input) { __typename "
            "... on Fulfillment { id state } ... on ErrorResult { errorCode message } } }",
            input={
                "lines": [{"orderLineId": one["id"], "quantity": one["quantity"]} for one in order["lines"]],
                "handler": {
                    "code": "manual-fulfillment",
                    "arguments": [
                        {"name": "method", "value": "CJ"},
                        {"name": "trackingCode", "value": "1234-5678"},
                    ],
                },
            },
        )
        for state in states:
            self.asks(
                "admin",
                "mutation($id: ID!, $state: String!) { transitionFulfillmentToState(id: $id, state: $state) { __typename "
                "... on ErrorResult { errorCode message } } }",
                id=parcel["id"],
                state=state,
            )

    def settle(self, refund: str) -> None:
        """The bank says that the money has arrived."""
        self.asks(
            "admin",
            'mutation($id: ID!) { settleRefund(input: {id: $id, transactionId: "bank-1"}) { __typename '
            "... on RefundStateTransitionError { errorCode message } } }",
            id=refund,
        )


@contextmanager
def vendure() -> Iterator[Shop]:
    """A fresh Vendure with one product; gone at the end, with its database."""
    packages = installed()
    with _database() as place, tempfile.TemporaryDirectory() as folder:
        modes = Path(folder) / "mode"
        modes.write_text("settled")
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        password = secrets.token_hex(12)
        env = {
            **os.environ,
            **place,
            "NODE_PATH": str(packages / "node_modules"),
            "PORT": str(port),
            "HANA_PASSWORD": password,
            "MODE_FILE": str(modes),
        }
        log = Path(folder) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["node", str(HERE / "server.js")], env=env, stdin=subprocess.PIPE, stdout=out, stderr=out
            )
            try:
                _wait(process, log)
                shop = Shop(f"http://127.0.0.1:{port}", password, modes)
                shop.enter()
                yield shop
            finally:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 180
    while b"READY" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"Vendure did not start:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """A database of its own beside the tests', as PG* for node."""
    url = os.environ["DATABASE_URL"]
    name = f"test_vendure_{os.getpid()}"
    with psycopg.connect(url, dbname="postgres", autocommit=True) as line:
        line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        line.execute(f'CREATE DATABASE "{name}"')
    known = conninfo_to_dict(url)
    place = {
        "PGHOST": str(known.get("host") or "127.0.0.1"),
        "PGPORT": str(known.get("port") or "5432"),
        "PGUSER": str(known.get("user") or ""),
        "PGPASSWORD": str(known.get("password") or ""),
        "PGDATABASE": name,
    }
    try:
        yield place
    finally:
        with psycopg.connect(url, dbname="postgres", autocommit=True) as line:
            line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
