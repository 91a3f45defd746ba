"""The addresses of the desk's own pages: queue, search, people, sign-in, oneself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from makegood.web import checks, me, notices, people, queue, replies, search, signin


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
    path("notices/", notices.show, name="notices"),
    path("notices/seen/", notices.seen, name="notices_seen"),
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
    path("people/users/<int:pk>/link/", people.link, name="people_link"),
    path("welcome/<str:secret>/", signin.welcome, name="welcome"),
    path("sign-in/email/", signin.email_stays),
    path("sign-in/", include("allauth.urls")),
]
