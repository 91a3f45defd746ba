"""The addresses of the desk's own pages: queue, search, people, sign-in, oneself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from makegood.web import (
    calendars,
    checks,
    duty,
    events_aside,
    hooks,
    incidents,
    letters,
    mailboxes,
    me,
    notices,
    outbox,
    owed,
    people,
    queue,
    remedies,
    replies,
    rooms,
    search,
    shop_clocks,
    signin,
    stores,
    travel,
    watch,
    ways,
)
from makegood.web.case_live import no_stream


class What:
    """What is kept under ``/people/``."""

    regex = "users|teams|shops"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(What, "kept")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", queue.show, name="queue"),
    path("queue/many/", queue.many, name="queue_many"),
    path("search/", search.show, name="search"),
    path("travel/", travel.show, name="travel"),
    path("outbox/", outbox.show, name="outbox"),
    path("outbox/<int:number>/<int:delivery_id>/again/", outbox.send_again, name="outbox_again"),
    path("events/", events_aside.show, name="events_aside"),
    path("notices/", notices.show, name="notices"),
    path("notices/seen/", notices.seen, name="notices_seen"),
    path("notices/undelivered/", ways.undelivered, name="notices_undelivered"),
    path("me/notices/", ways.show, name="my_ways"),
    path("me/notices/add/", ways.add, name="way_add"),
    path("me/notices/<int:pk>/test/", ways.test, name="way_test"),
    path("me/notices/<int:pk>/remove/", ways.remove, name="way_remove"),
    path("webhooks/", hooks.lists, name="hooks"),
    path("webhooks/new/", hooks.edit, name="hook_new"),
    path("webhooks/<int:pk>/", hooks.show, name="hook"),
    path("webhooks/<int:pk>/edit/", hooks.edit, name="hook_edit"),
    path("webhooks/<int:pk>/calls/<int:call_id>/", hooks.call, name="hook_call"),
    *(
        path(f"webhooks/<int:pk>/{verb}/", hooks.act, {"verb": verb}, name=f"hook_{verb}")
        for verb in ("rotate", "on", "off", "test", "again", "replay", "remove")
    ),
    path("owed/", owed.show, name="owed"),
    path("owed/parties/", owed.lists, name="parties"),
    path("owed/parties/new/", owed.edit, name="party_new"),
    path("owed/parties/<int:pk>/", owed.edit, name="party_edit"),
    path("rooms/", rooms.rooms, name="rooms"),
    path("rooms/<int:pk>/", rooms.show, name="room"),
    path("rooms/<int:pk>/now/", rooms.now, name="room_now"),
    path("rooms/<int:pk>/here/", rooms.here, name="room_here"),
    path("live/", no_stream, name="live"),
    path("rooms/<int:pk>/card/<slug:field>/", rooms.history, name="room_history"),
    path("rooms/<int:pk>/<slug:verb>/", rooms.act, name="room_act"),
    path("duty/", duty.show, name="duty"),
    path("duty/<int:pk>/shift/", duty.shift, name="duty_shift"),
    path("duty/<int:pk>/paste/", duty.paste, name="duty_paste"),
    path("duty/<int:pk>/copy/", duty.copy, name="duty_copy"),
    path("duty/<int:pk>/drop/", duty.drop, name="duty_drop"),
    path("duty/<int:pk>/away/", duty.away, name="duty_away"),
    path("duty/back/<int:pk>/", duty.back, name="duty_back"),
    path("watch/", watch.lists, name="watch"),
    path("watch/findings/<int:pk>/", watch.finding, name="watch_finding"),
    path("watch/findings/<int:pk>/dismiss/", watch.dismiss, name="watch_dismiss"),
    path("watch/<slug:code>/", watch.show, name="watch_process"),
    path("watch/<slug:code>/settings/", watch.settings, name="watch_settings"),
    path("incidents/", incidents.lists, name="incidents"),
    path("incidents/suggested/<int:pk>/<slug:answer>/", incidents.settle, name="incident_settle"),
    path("incidents/<int:pk>/", incidents.show, name="incident"),
    path("incidents/<int:pk>/now/", incidents.now, name="incident_now"),
    path("incidents/<int:pk>/<slug:verb>/", incidents.act, name="incident_act"),
    path("me/", me.me, name="me"),
    path("language/", me.language, name="language"),
    path("replies/", replies.show, name="replies"),
    path("replies/new/", replies.edit, name="replies_new"),
    path("replies/<int:pk>/", replies.edit, name="replies_edit"),
    path("replies/<int:pk>/remove/", replies.remove, name="replies_remove"),
    path("signatures/", replies.signatures, name="signatures"),
    path("checks/", checks.show, name="checks"),
    path("checks/switch/", checks.switch, name="checks_switch"),
    path("people/", people.lists, name="people"),
    path("people/<kept:what>/", people.lists, name="people"),
    path("people/<kept:what>/new/", people.edit, name="people_new"),
    path("people/<kept:what>/<int:pk>/", people.edit, name="people_edit"),
    path("people/calendars/", calendars.lists, name="calendars"),
    path("people/calendars/new/", calendars.new, name="calendar_new"),
    path("people/calendars/<int:pk>/", calendars.show, name="calendar"),
    path("people/calendars/<int:pk>/week/", calendars.week, name="calendar_week"),
    path("people/calendars/<int:pk>/days/", calendars.days, name="calendar_days"),
    path("people/calendars/<int:pk>/drop/", calendars.drop, name="calendar_drop"),
    path("people/calendars/<int:pk>/upload/", calendars.upload, name="calendar_upload"),
    path("people/calendars/<int:pk>/take-in/", calendars.take_in, name="calendar_take_in"),
    path("people/shops/<int:pk>/clocks/", shop_clocks.show, name="shop_clocks"),
    path("people/shops/<int:pk>/budget/", remedies.budget, name="shop_budget"),
    path("approvals/", remedies.approvals, name="approvals"),
    path("approvals/likeness/", remedies.likeness, name="likeness"),
    path("people/users/<int:pk>/link/", people.link, name="people_link"),
    path("stores/", stores.lists, name="stores"),
    path("stores/new/<slug:kind>/", stores.new, name="store_new"),
    path("stores/<slug:code>/", stores.edit, name="store"),
    path("stores/<slug:code>/test/", stores.test, name="store_test"),
    path("stores/<slug:code>/secret/", stores.secret, name="store_secret"),
    path("mailboxes/", mailboxes.lists, name="mailboxes"),
    path("mailboxes/new/", mailboxes.edit, name="mailbox_new"),
    path("mailboxes/<int:pk>/", mailboxes.edit, name="mailbox"),
    path("mailboxes/<int:pk>/test/", mailboxes.test, name="mailbox_test"),
    path("letters/", letters.lists, name="letters"),
    path("letters/limited/", letters.lists, {"view": "limited"}, name="letters_limited"),
    path("letters/all/", letters.lists, {"view": "all"}, name="letters_all"),
    path("letters/<int:pk>/", letters.show, name="letter"),
    path("letters/<int:pk>/source/", letters.source, name="letter_source"),
    *(
        path(f"letters/<int:pk>/{verb}/", letters.act, {"verb": verb}, name=f"letter_{verb}")
        for verb in ("read", "away", "open", "join")
    ),
    path("welcome/<str:secret>/", signin.welcome, name="welcome"),
    path("sign-in/email/", signin.email_stays),
    path("sign-in/", include("allauth.urls")),
]
