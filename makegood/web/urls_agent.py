"""The addresses of the desk's own pages: queue, search, people, sign-in, oneself."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from makegood.web import me, people, queue, rooms, search, signin, travel


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
    path("rooms/", rooms.rooms, name="rooms"),
    path("rooms/<int:pk>/", rooms.show, name="room"),
    path("rooms/<int:pk>/now/", rooms.now, name="room_now"),
    path("rooms/<int:pk>/card/<slug:field>/", rooms.history, name="room_history"),
    path("rooms/<int:pk>/<slug:verb>/", rooms.act, name="room_act"),
    path("me/", me.me, name="me"),
    path("language/", me.language, name="language"),
    path("people/", people.lists, name="people"),
    path("people/<kept:what>/", people.lists, name="people"),
    path("people/<kept:what>/new/", people.edit, name="people_new"),
    path("people/<kept:what>/<int:pk>/", people.edit, name="people_edit"),
    path("people/users/<int:pk>/link/", people.link, name="people_link"),
    path("welcome/<str:secret>/", signin.welcome, name="welcome"),
    path("sign-in/email/", signin.email_stays),
    path("sign-in/", include("allauth.urls")),
]
