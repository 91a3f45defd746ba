"""The guard around every call to a shop: a merchant writes the address, so the address is not believed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from makegood.connectors.errors import Later, Never
from makegood.connectors.wire import BYTES, Lost, NotSent, Wire, outside


class _Odd(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/inside")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        try:
            if self.path == "/huge":
                for _ in range(BYTES // 65536 + 2):
                    self.wfile.write(b"x" * 65536)
            elif self.path == "/drip":
                for _ in range(40):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    threading.Event().wait(0.05)
            else:
                self.wfile.write(b'{"a": [{"b": 1}]}')
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def odd(settings: object) -> Iterator[str]:
    settings.SHOPS_INSIDE = frozenset({"127.0.0.1"})  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    server.daemon_threads = True
    _Odd.asked.clear()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_answer_is_read_by_its_path(odd: str):
    reply = Wire(odd).ask("GET", "/")
    assert (reply.get("a", 0, "b"), reply.get("a", 1, "b"), reply.get("z", "b")) == (1, None, None)


def test_no_redirect_is_followed(odd: str):
    """The address of the shop is allowed; where it points to is not asked."""
    assert Wire(odd).ask("GET", "/away").status == 302
    assert _Odd.asked == ["/away"]


@pytest.mark.parametrize(("path", "code"), [("/huge", "huge"), ("/drip", "slow")])
def test_an_answer_without_end_is_cut(odd: str, path: str, code: str):
    with pytest.raises(Lost) as cut:
        Wire(odd, seconds=0.5).ask("GET", path)
    assert cut.value.code in (code, "lost")


def test_the_house_itself_is_not_reached(odd: str, settings: object):
    """Kang writes the address of our own database server, by number and by a name that leads there."""
    port = odd.rpartition(":")[2]
    settings.SHOPS_INSIDE = frozenset()  # type: ignore[attr-defined]
    for host in (
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "[::ffff:127.0.0.1]",
    ):
        with pytest.raises(Never, match="inside"):
            Wire(f"https://{host}:{port}").ask("GET", "/")
    assert _Odd.asked == []


def test_a_key_never_travels_in_the_open(settings: object):
    settings.SHOPS_INSIDE = frozenset()  # type: ignore[attr-defined]
    for address in (
        "http://shop.example",
        "ftp://shop.example",
        "https://me:secret@shop.example",
        "https://",
        "//x",
    ):
        with pytest.raises(Never, match="address"):
            Wire(address)


def test_a_closed_door_is_certain(odd: str, settings: object):
    with pytest.raises(NotSent):
        Wire("http://127.0.0.1:9", seconds=1).ask("GET", "/")
    assert issubclass(NotSent, Later) and issubclass(Lost, Later)


def test_public_addresses_only():
    assert outside("1.1.1.1") and outside("2606:4700::1111")
    inside = (
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.1.1",
        "::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
    )
    assert not any(map(outside, (*inside, "224.0.0.1", "100.64.0.1", "0.0.0.0")))


def test_httpx_still_uses_the_network_that_it_is_given():
    """The guard sits in a private place of httpx; a new version that moves it must not pass unseen."""
    assert hasattr(httpx.HTTPTransport(), "_pool")
