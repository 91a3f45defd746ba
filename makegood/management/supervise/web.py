"""The application as granian's workers load it: bound to granian's main process, then Makegood itself.

A worker that outlived a kill -9 of its main process would keep the port, and serve old code from it.
"""

from __future__ import annotations

import multiprocessing

from makegood.management.supervise.kin import die_with_parent

_parent = multiprocessing.parent_process()
if _parent is not None and _parent.pid is not None:
    die_with_parent(_parent.pid)

from makegood.asgi import application  # noqa: E402

__all__ = ["application"]
