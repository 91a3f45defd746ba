"""The addresses of the case sheet."""

from __future__ import annotations

from django.urls import URLPattern, path

from makegood.web import (
    case,
    case_files,
    case_helper,
    case_live,
    case_new,
    case_order,
    composing,
    letter_html,
)
from makegood.web.case_verbs import VERBS

urlpatterns: list[URLPattern] = [
    path("cases/new/", case_new.new, name="new_case"),
    path("cases/<int:number>/", case.show, name="case"),
    path("cases/<int:number>/presence/", case_live.here, name="case_presence"),
    path("cases/<int:number>/refresh_order/", case_order.refresh, name="case_refresh_order"),
    path("cases/<int:number>/preview_remedy/", case_order.preview_remedy, name="case_preview_remedy"),
    path("cases/<int:number>/draft/", case_live.draft, name="case_draft"),
    path("cases/<int:number>/helper/", case_helper.show, name="case_helper"),
    path("cases/<int:number>/use_helper/", case_helper.use, name="case_use_helper"),
    path("cases/<int:number>/check/", composing.check, name="case_check"),
    path("cases/<int:number>/ready/", composing.snippet, name="case_ready"),
    path("cases/<int:number>/insert/", composing.insert, name="case_insert"),
    path("cases/<int:number>/held/<int:held_id>/undo/", composing.undo, name="case_undo"),
    path("cases/<int:number>/held/<int:held_id>/send/", composing.go_out, name="case_go_out"),
    path("cases/<int:number>/version/<int:version_id>/", composing.version, name="case_version"),
    *(path(f"cases/<int:number>/{verb}/", case.act, {"verb": verb}, name=f"case_{verb}") for verb in VERBS),
    path("messages/<int:pk>/letter/", letter_html.show, name="message_letter"),
    path("files/<int:attachment_id>/", case_files.attachment, name="attachment"),
]
