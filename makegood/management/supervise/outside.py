"""What may be wrong with the database, said in one sentence each before Django starts (which would say it in forty)."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import psycopg

from makegood.management.supervise.places import ROOT
from makegood.management.supervise.trouble import NEWER_DATABASE, Trouble

OLDEST = 16
MIGRATIONS = ROOT / "makegood" / "migrations"
SHAPE = "DATABASE_URL must look like postgresql://user:password@host:5432/name"


def check_database(url: str) -> None:
    """Connect to ``url`` and refuse, by Trouble, whatever Makegood cannot work with. The password is never shown."""
    where = _describe(url)
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise Trouble(_why_not(error, where, url)) from None
    except (psycopg.ProgrammingError, UnicodeError, ValueError):
        raise Trouble(f"{SHAPE}; PostgreSQL's client does not understand what it says now.") from None
    with connection:
        _check_server(connection, where)
        _check_migrations(connection, where)


def _describe(url: str) -> str:
    """host:port/name of the URL, for sentences; raises Trouble when it is no PostgreSQL URL with a database's name."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise Trouble(f"{SHAPE}; its port or host is not one.") from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise Trouble(f"{SHAPE}.")
    return f"{parts.hostname or 'the local socket'}:{port}/{unquote(parts.path.strip('/'))}"


def _why_not(error: psycopg.OperationalError, where: str, url: str) -> str:
    text = " ".join(str(error).split())
    name = where.rsplit("/", 1)[-1]
    user = unquote(urlsplit(url).username or "")
    if "does not exist" in text and "database" in text:
        return f"There is no database '{name}' on that server ({where}): create it, or correct DATABASE_URL."
    if any(word in text for word in ("authentication failed", "no password supplied", "role", "pg_hba.conf")):
        return f"The server of DATABASE_URL ({where}) does not let '{user}' in: correct the user, the password or pg_hba.conf."
    if any(word in text for word in ("resolve", "Name or service", "nodename", "name resolution")):
        return f"There is no host of that name ({where}): correct DATABASE_URL."
    if "too many" in text or "remaining connection slots" in text:
        return f"The server of DATABASE_URL ({where}) has no free connection; stop another program or raise max_connections."
    return f"No PostgreSQL server answers at {where}: start it, or correct DATABASE_URL ({_last(text)})."


def _last(text: str) -> str:
    return text.rsplit("failed: ", 1)[-1].split(" Is the server")[0][:200]


def _check_server(connection: psycopg.Connection[tuple[object, ...]], where: str) -> None:
    version = connection.info.server_version // 10000
    if version < OLDEST:
        raise Trouble(
            f"The server of DATABASE_URL ({where}) is PostgreSQL {version}; Makegood needs {OLDEST} or newer."
        )
    row = connection.execute(
        "SELECT pg_is_in_recovery(), current_setting('server_encoding'),"
        " coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
    ).fetchone()
    standby, encoding, may_create = row or (True, "", False)
    if standby:
        raise Trouble(f"The server of DATABASE_URL ({where}) is a read-only standby; name the primary.")
    if encoding != "UTF8":
        raise Trouble(
            f"The database {where} stores {encoding}; Makegood needs one made with ENCODING 'UTF8'."
        )
    if not may_create:
        raise Trouble(
            f"The user of DATABASE_URL may not create tables in {where}: make it the owner, "
            "or GRANT CREATE ON SCHEMA public to it."
        )


def _check_migrations(connection: psycopg.Connection[tuple[object, ...]], where: str) -> None:
    """A database that a newer Makegood has already changed must not be touched by an older one."""
    if connection.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return
    try:
        rows = connection.execute(
            "SELECT name FROM django_migrations WHERE app = 'makegood' ORDER BY name"
        ).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        raise Trouble(
            f"The user of DATABASE_URL may not read the tables of {where}: they belong to another user."
        ) from None
    known = {file.stem for file in MIGRATIONS.glob("[0-9]*.py")}
    unknown = [str(name) for (name,) in rows if name not in known]
    if unknown:
        raise Trouble(
            f"The database {where} was last used by a newer Makegood (it has {unknown[-1]}, unknown here): "
            "start that version, or restore a copy from before it.",
            NEWER_DATABASE,
        )
