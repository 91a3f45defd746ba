"""The web door's entry for granian: streams are served by the event loop, every page by Django in a thread (web/live)."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")

from makegood.web.live.front import Front
from makegood.wsgi import application as django_pages

application = Front(django_pages, threads=int(os.environ.get("MAKEGOOD_WEB_THREADS") or 8))
