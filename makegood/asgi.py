"""The web door's entry for granian: streams are served by the event loop, every page by Django in a thread (web/live)."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "makegood.settings")

from django.urls import get_resolver

from makegood.web.live.front import Front
from makegood.wsgi import application as django_pages

# Every page's code now: the first visitor of each process would wait for it, some seconds.
get_resolver().url_patterns  # noqa: B018

application = Front(django_pages, threads=int(os.environ.get("MAKEGOOD_WEB_THREADS") or 8))
