"""Words to a chat tool, by apprise: which tools, what an address of one looks like, and one message sent.

An apprise address is a secret (whoever has it may write into that chat): it is never logged and never shown whole.
Only tools that speak HTTP through ``requests`` are taken, so that every connection passes :mod:`makegood.connectors.guard`:
apprise's others (MQTT, IRC, syslog, mail …) open sockets of their own.
"""

from __future__ import annotations

import importlib
import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from makegood.connectors import guard
from makegood.connectors.errors import Later, Never

#: The tool as people call it, apprise's module and class of it, the schemas of its addresses. Only these modules are loaded:
#: apprise's own look through all its 150 costs 1.6 s and 44 MB, and imports what is none of ours.
_TOOLS = (
    ("Slack", "slack", "NotifySlack", "slack"),
    ("Microsoft Teams", "workflows", "NotifyWorkflows", "workflow workflows"),
    ("DingTalk", "dingtalk", "NotifyDingTalk", "dingtalk"),
    ("Feishu", "feishu", "NotifyFeishu", "feishu"),
    ("Lark", "lark", "NotifyLark", "lark"),
    ("WeCom", "wecombot", "NotifyWeComBot", "wecombot"),
    ("Telegram", "telegram", "NotifyTelegram", "tgram"),
    ("Discord", "discord", "NotifyDiscord", "discord"),
    ("Google Chat", "google_chat", "NotifyGoogleChat", "gchat"),
    ("Webex", "webexteams", "NotifyWebexTeams", "webex wxteams"),
    ("LINE", "line", "NotifyLine", "line"),
    ("KakaoTalk", "kakaotalk", "NotifyKakaoTalk", "kakaotalk kakao"),
    ("Zulip", "zulip", "NotifyZulip", "zulip"),
    # Those that stand on somebody's own server: each server is a service of its own.
    ("Mattermost", "mattermost", "NotifyMattermost", "mmost mmosts"),
    ("Rocket.Chat", "rocketchat", "NotifyRocketChat", "rocket rockets"),
    ("ntfy", "ntfy", "NotifyNtfy", "ntfy ntfys"),
    ("Nextcloud Talk", "nextcloudtalk", "NotifyNextcloudTalk", "nctalk nctalks"),
    ("Synology Chat", "synology", "NotifySynology", "synology synologys"),
    ("JSON", "custom_json", "NotifyJSON", "json jsons"),
)
_SCHEMAS = {schema: (tool, module, name) for tool, module, name, all_ in _TOOLS for schema in all_.split()}
SELF_HOSTED = frozenset({"Mattermost", "Rocket.Chat", "ntfy", "Nextcloud Talk", "Synology Chat", "JSON"})
#: The names of all tools, for the page.
NAMES = tuple(tool for tool, *_ in _TOOLS)
#: Web addresses as a tool gives them out, by their host: they are read without knowing apprise's own form.
_NATIVE = {
    "hooks.slack.com": "slack",
    "discord.com": "discord",
    "discordapp.com": "discord",
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "lark",
    "qyapi.weixin.qq.com": "wecombot",
    "chat.googleapis.com": "gchat",
    "api.ciscospark.com": "webex",
    "webexapis.com": "webex",
}
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
    tool = _SCHEMAS[schema][0]
    if tool in SELF_HOSTED:
        server = f"{plugin.host}:{plugin.port}" if plugin.port else str(plugin.host)
        return Place(tool, f"{schema}://{server}/…"[:200], f"{tool} {server}")
    return Place(tool, str(plugin.url(privacy=True)).partition("?")[0].rstrip("/")[:200], tool)


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
    """apprise's object for an address, and the schema. Raises Never('bad_url')."""
    try:
        parts = urlsplit(url if len(url) <= LONGEST else "")
    except ValueError:
        raise Never("bad_url") from None
    native = parts.scheme == "https"
    schema = _native(parts.hostname or "") if native else parts.scheme.lower()
    if schema not in _SCHEMAS:
        raise Never("bad_url")
    # Late: apprise costs 0.8 s, and a page that sends nothing need not pay it.
    from apprise import AppriseAsset

    _install()
    _tool, module, name = _SCHEMAS[schema]
    kind = getattr(importlib.import_module(f"apprise.plugins.{module}"), name)
    found = kind.parse_native_url(url) if native else kind.parse_url(url)
    if not found:
        raise Never("bad_url")
    # What the address itself may say about these is not heard: a redirect could lead anywhere, retries are ours.
    found |= {"redirect": False, "verify": True, "retry": 0, "schema": schema}
    found["asset"] = AppriseAsset(
        secure_logging=True, http_redirects=False, app_id="Makegood", async_mode=False
    )
    try:
        plugin = kind(**found)
    except Exception:  # apprise's own refusals are TypeError, but what stands in an address may hit anything
        raise Never("bad_url") from None
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT, READ
    return plugin, schema


def _native(host: str) -> str:
    if host.endswith((".logic.azure.com", ".api.powerplatform.com")):
        return "workflows"
    return _NATIVE.get(host, "")


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
        return (
            Never(f"status {code}")
            if 400 <= code < 500 and code not in (408, 429)
            else Later(f"status {code}")
        )


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

    def create_connection(
        address: tuple[str, int], timeout: Any = None, *args: Any, **more: Any
    ) -> socket.socket:
        message = _now.get()
        if message is None:
            return plain(address, timeout, *args, **more)
        host, port = address
        sock = guard.connect(host, port, timeout if isinstance(timeout, (int, float)) else CONNECT)
        message.sockets.append(sock.dup())
        return sock

    create_connection.guarded = True  # type: ignore[attr-defined]
    connection.create_connection = create_connection
