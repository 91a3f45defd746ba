"""The addresses by which letters are pushed to us."""

from __future__ import annotations

from django.urls import URLPattern, path

from makegood.mail import hooks

urlpatterns: list[URLPattern] = [
    path("in/", hooks.raw, name="mail_raw"),
    path("hooks/<slug:provider>/", hooks.provider, name="mail_provider"),
]
