"""Words to a chat tool, by apprise: which tools, what an address of one looks like, and one message sent.

An apprise address is a secret (whoever has it may write into that chat): it is never logged and never shown whole.
Only tools that speak HTTP through ``requests`` are taken, so that every connection passes :mod:`makegood.connectors.guard`:
apprise's others (MQTT, IRC, syslog, mail …) open sockets of their own.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from makegood.connectors import guard
from makegood.connectors.errors import Later, Never

#: Schema of an address -> the tool, as people call it. A name of its own where apprise's is translated or long.
TOOLS = {
    "slack": "Slack", "workflow": "Microsoft Teams", "workflows": "Microsoft Teams", "dingtalk": "DingTalk",
    "feishu": "Feishu", "lark": "Lark", "wecombot": "WeCom", "tgram": "Telegram", "discord": "Discord",
    "gchat": "Google Chat", "webex": "Webex", "wxteams": "Webex", "line": "LINE", "kakaotalk": "KakaoTalk",
    "kakao": "KakaoTalk", "zulip": "Zulip",
}  # fmt: skip
#: Tools that stand on somebody's own server: each server is a service of its own.
SELF_HOSTED = {
    "mmost": "Mattermost", "mmosts": "Mattermost", "rocket": "Rocket.Chat", "rockets": "Rocket.Chat",
    "ntfy": "ntfy", "ntfys": "ntfy", "nctalk": "Nextcloud Talk", "nctalks": "Nextcloud Talk",
    "synology": "Synology Chat", "synologys": "Synology Chat", "json": "JSON", "jsons": "JSON",
}  # fmt: skip
LONGEST = 1000
#: Seconds for connecting, for each read, and for one message as a whole.
CONNECT, READ, WHOLE = 5.0, 10.0, 25.0
_STATUS = re.compile(r"error=(\d{3})")


@dataclass(frozen=True)
class Place:
    """Where an address leads: the ``tool``, the address with its secrets taken out, and the ``service`` that may be down."""

    tool: str
    shown: str
    service: str


def place(url: str) -> Place:
    """What an address is. Raises Never('bad_url') for one that apprise cannot read or whose tool is not among ours."""
    plugin, schema = _plugin(url)
    host = f" {plugin.host}" if schema in SELF_HOSTED else ""
    tool = (TOOLS | SELF_HOSTED)[schema]
    return Place(tool, str(plugin.url(privacy=True)).partition("?")[0][:200], f"{tool}{host}")


def send(url: str, title: str, body: str) -> None:
    """Send one message; blocks for at most WHOLE seconds. Raises Later or Never. Never inside a transaction."""
    plugin, _schema = _plugin(url)
    heard = _Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    try:
        with _watched():
            done = plugin.notify(body=body, title=title, body_format="text")
    finally:
        logger.removeHandler(heard)
    if not done:
        raise heard.error()


def _plugin(url: str) -> tuple[Any, str]:
    # Late: apprise costs 0.2 s, and a page that sends nothing need not pay it.
    import apprise
    from apprise.plugins import url_to_dict

    _install()
    found = url_to_dict(url, secure_logging=True) if len(url) <= LONGEST else None
    schema = str(found.get("schema", "")).lower() if found else ""
    if found is None or schema not in TOOLS | SELF_HOSTED:
        raise Never("bad_url")
    # What the address itself may say about these is not heard: a redirect could lead anywhere.
    found |= {"redirect": False, "verify": True}
    asset = apprise.AppriseAsset(secure_logging=True, http_redirects=False, app_id="Makegood", async_mode=False)
    plugin = apprise.Apprise.instantiate(found, asset=asset)
    if plugin is None:
        raise Never("bad_url")
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT, READ
    return plugin, schema


class _Heard(logging.Handler):
    """What apprise says about this thread's message. Its warnings hold a status, never an address; nothing else is kept."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.thread, self.said = threading.get_ident(), ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:
            self.said += record.getMessage()

    def error(self) -> Later | Never:
        status = _STATUS.search(self.said)
        if status is None:
            return Later("unreachable")
        code = int(status[1])
        return Never(f"status {code}") if 400 <= code < 500 and code not in (408, 429) else Later(f"status {code}")


class _Open:
    """The sockets of one message, and what is cut when it takes too long."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []

    def hang_up(self) -> None:
        for sock in self.sockets:
            try:
                # A copy of the descriptor: under TLS the first object has given its own away.
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


_now: ContextVar[_Open | None] = ContextVar("chat_message", default=None)


@contextmanager
def _watched() -> Iterator[None]:
    """Every connection that urllib3 makes in this block is judged, and cut when the time is over."""
    message = _Open()
    token = _now.set(message)
    timer = threading.Timer(WHOLE, message.hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _now.reset(token)
        for sock in message.sockets:
            sock.close()


def _install() -> None:
    """Put the guard where urllib3 connects: apprise takes no session of ours, so there is no gentler place.

    Outside of :func:`send` nothing changes: the plain function is called.
    """
    from urllib3.util import connection

    plain = connection.create_connection
    if getattr(plain, "guarded", False):
        return

    def create_connection(address: tuple[str, int], timeout: Any = None, *args: Any, **more: Any) -> socket.socket:
        message = _now.get()
        if message is None:
            return plain(address, timeout, *args, **more)
        host, port = address
        sock = guard.connect(host, port, timeout if isinstance(timeout, (int, float)) else CONNECT)
        message.sockets.append(sock.dup())
        return sock

    create_connection.guarded = True  # type: ignore[attr-defined]
    connection.create_connection = create_connection
