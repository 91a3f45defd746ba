"""Reaching a mailbox by IMAP: connection, sign-in by password or OAuth2, folder. What goes wrong has a code and a detail.

Nothing here writes to the database but a refresh token that the provider replaced. Slow: never inside a transaction.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from makegood.base.seal import Broken, seal, unseal
from makegood.conversations.models import Mailbox

#: Seconds for each step with the server; a letter of 40 MB comes in many steps.
TIMEOUT = 30.0
TOKEN_TIMEOUT = 15.0
#: The parts of a sealed secret, by way of signing in.
PASSWORD = ("password",)
OAUTH2 = ("token_url", "client_id", "client_secret", "refresh_token", "scope")


class Unreached(Exception):
    """The mailbox could not be reached. ``code``: unreachable, certificate, sign_in, token, secret, folder, cut, protocol."""

    def __init__(self, code: str, detail: object = "") -> None:
        self.code = code
        self.detail = " ".join(str(detail).split())[:300]
        super().__init__(f"{code}: {self.detail}" if self.detail else code)


@contextmanager
def reached(mailbox: Mailbox, *, timeout: float = TIMEOUT) -> Iterator[tuple[IMAPClient, int]]:
    """The mailbox, signed in, with its folder selected, and the folder's UIDVALIDITY. Raises Unreached, then and in the block."""
    client = _connect(mailbox, timeout)
    try:
        with _as_unreached():
            _sign_in(client, mailbox)
            yield client, _select(client, mailbox.folder)
    finally:
        # A server that no longer answers must not hold us for another timeout: the connection is just closed.
        with suppress(Exception):
            client.socket().settimeout(2)
            client.logout()
        with suppress(Exception):
            client.shutdown()


@contextmanager
def _as_unreached() -> Iterator[None]:
    try:
        yield
    except (ssl.SSLError, OSError, EOFError) as error:
        raise Unreached("cut", error) from error
    except IMAPClientError as error:
        code = "cut" if isinstance(error, IMAPClient.AbortError) else "protocol"
        raise Unreached(code, error) from error


def _connect(mailbox: Mailbox, timeout: float) -> IMAPClient:
    context = ssl.create_default_context()
    try:
        client = IMAPClient(
            mailbox.host,
            port=mailbox.port,
            ssl=mailbox.security == "tls",
            ssl_context=context if mailbox.security == "tls" else None,
            timeout=timeout,
        )
        if mailbox.security == "starttls":
            client.starttls(context)
    except ssl.SSLCertVerificationError as error:
        raise Unreached("certificate", error.verify_message) from error
    except (OSError, EOFError, socket.gaierror, UnicodeError, IMAPClientError) as error:
        raise Unreached("unreachable", error) from error
    return client


def _sign_in(client: IMAPClient, mailbox: Mailbox) -> None:
    try:
        secret = unseal(mailbox.secret)
    except Broken as error:
        raise Unreached("secret", error) from error
    try:
        if mailbox.auth == "oauth2":
            client.oauth2_login(mailbox.user, access_token(mailbox, secret))
        else:
            client.login(mailbox.user, secret.get("password", ""))
    except LoginError as error:
        raise Unreached("sign_in", error) from error


def _select(client: IMAPClient, folder: str) -> int:
    try:
        answer = client.select_folder(folder)
    except IMAPClient.AbortError:
        raise
    except IMAPClientError as error:
        raise Unreached("folder", error) from error
    return int(answer.get(b"UIDVALIDITY", 0))


def access_token(mailbox: Mailbox, secret: dict[str, str]) -> str:
    """A fresh access token by the refresh token (RFC 6749, 6). A refresh token that the provider replaced is kept."""
    url = secret.get("token_url", "")
    if not safe_token_url(url):
        raise Unreached("token", "token_url")
    asked = {"grant_type": "refresh_token", **{k: secret[k] for k in OAUTH2[1:] if secret.get(k)}}
    try:
        request = Request(url, urlencode(asked).encode(), {"Accept": "application/json"})
        with build_opener(_Straight).open(request, timeout=TOKEN_TIMEOUT) as answer:
            told = json.loads(answer.read(100_000))
        token = told["access_token"]
    except HTTPError as error:
        with error:
            raise Unreached("token", f"{error.code} {_said(error)}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreached("token", type(error).__name__) from error
    if told.get("refresh_token") not in (None, secret.get("refresh_token")):
        mailbox.secret = seal({**secret, "refresh_token": str(told["refresh_token"])})
        mailbox.save(update_fields=["secret"])
    return str(token)


def safe_token_url(url: str) -> bool:
    """Whether our secrets may be sent there: by https, or to this machine itself."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1"))
    )


class _Straight(HTTPRedirectHandler):
    """Follows no redirect: it would carry the client's secret to wherever it points."""

    def redirect_request(self, *args: object, **fields: object) -> None:
        return None


def _said(error: HTTPError) -> str:
    """The provider's own code ('invalid_grant'), never its whole page."""
    try:
        return str(json.loads(error.read(10_000)).get("error", ""))[:100]
    except (OSError, ValueError, AttributeError):
        return ""
