"""Keeping people, teams and shops: who may, what is refused, and that nobody locks the house from outside."""

from __future__ import annotations

import pytest

from makegood.base.errors import NotAllowed, Refusal
from makegood.desk import peopling
from makegood.people.models import Shop, SignInLink, Team, User

pytestmark = pytest.mark.django_db

PAGES = [
    "/people/",
    "/people/users/",
    "/people/teams/",
    "/people/shops/",
    "/people/users/new/",
    "/people/teams/new/",
    "/people/shops/new/",
]


def person(**change):
    return {
        "name": "New",
        "email": "new@makegood.example",
        "role": "agent",
        "language": "ko",
        "zone": "Asia/Seoul",
        **change,
    }


@pytest.mark.parametrize(
    "who,status", [("minji", 403), ("sujin", 403), ("wei", 403), ("kang", 403), ("hana", 200), ("root", 200)]
)
@pytest.mark.parametrize("page", PAGES)
def test_only_managers_keep_people(cast, client, who, status, page):
    client.force_login(getattr(cast, who))
    assert client.get(page).status_code == status
    assert client.get(page, {"q": "h\x00'%_"}).status_code == status


def test_a_stranger_is_asked_to_sign_in(db, client):
    assert {client.get(page).status_code for page in PAGES} == {302}


def test_agents_change_nothing(cast, client):
    client.force_login(cast.minji)
    assert client.post("/people/users/new/", {**person(), "active": "on"}).status_code == 403
    assert (
        client.post(f"/people/users/{cast.minji.pk}/", {**person(role="admin"), "active": "on"}).status_code
        == 403
    )
    assert client.post(f"/people/users/{cast.root.pk}/link/").status_code == 403
    for save in (
        lambda by: peopling.save_user(None, by=by, **person()),
        lambda by: peopling.link_for(cast.jun, by=by),
        lambda by: peopling.save_team(None, by=by, name="X", tier=1, skill="", lead=None, members=[], shops=[]),
        lambda by: peopling.save_shop(None, by=by, name="X", code="x", language="ko", zone="UTC", currency="KRW", merchants=[]),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            save(cast.by(cast.minji))
    assert User.objects.count() == 8 and not SignInLink.objects.exists()


def test_hana_invites_somebody_and_the_link_is_shown_once(cast, client):
    client.force_login(cast.hana)
    answer = client.post("/people/users/new/", {**person(), "active": "on"})
    body = answer.content.decode()
    assert "/welcome/" in body
    new = User.objects.get(email="new@makegood.example")
    assert not new.has_usable_password() and new.sign_in_links.count() == 1
    assert "/welcome/" not in client.get(f"/people/users/{new.pk}/").content.decode()
    address = body.split("/welcome/")[1].split("/")[0]
    client.logout()
    assert client.post(f"/welcome/{address}/").headers["Location"] == "/sign-in/password/set/"


def test_hana_changes_jun(cast, client):
    client.force_login(cast.hana)
    client.post(
        f"/people/users/{cast.jun.pk}/", person(name="Jun Park", role="lead", email="JUN@makegood.example")
    )
    cast.jun.refresh_from_db()
    assert (cast.jun.name, cast.jun.role, cast.jun.is_active, cast.jun.email) == (
        "Jun Park",
        "lead",
        False,
        "jun@makegood.example",
    )
    assert cast.jun.check_password("correct horse 9")


@pytest.mark.parametrize(
    "change,field",
    [({"email": "MINJI@makegood.example"}, "email"), ({"email": "no"}, "email"), ({"name": " "}, "name"), ({"role": "king"}, "role"),
     ({"zone": "Mars"}, "zone"), ({"language": "xx"}, "language")],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_the_field(cast, client, change, field):
    with pytest.raises(Refusal) as refused:
        peopling.save_user(None, by=cast.by(cast.hana), **person(**change))
    assert refused.value.field == field
    client.force_login(cast.hana)
    assert client.post("/people/users/new/", {**person(**change), "active": "on"}).status_code == 422
    assert User.objects.count() == 8


def test_nobody_changes_their_own_rights(cast):
    for who, role, active in (
        ("hana", "agent", True),
        ("hana", "manager", False),
        ("root", "agent", True),
        ("root", "admin", False),
    ):
        user = getattr(cast, who)
        with pytest.raises(Refusal):
            peopling.save_user(user, by=cast.by(user), **person(email=user.email, role=role), active=active)
        user.refresh_from_db()
        assert user.is_active and user.role == {"hana": "manager", "root": "admin"}[who]
    peopling.save_user(
        cast.hana,
        by=cast.by(cast.hana),
        **person(email="hana@makegood.example", role="manager", name="Hana K"),
    )


def test_a_manager_makes_no_administrator_and_touches_none(cast):
    hana = cast.by(cast.hana)
    with pytest.raises(NotAllowed):
        peopling.save_user(None, by=hana, **person(role="admin"))
    with pytest.raises(NotAllowed):
        peopling.save_user(cast.jun, by=hana, **person(role="admin"))
    with pytest.raises((NotAllowed, Refusal)):
        peopling.save_user(cast.root, by=hana, **person(role="agent"))
    with pytest.raises(NotAllowed):
        peopling.link_for(cast.root, by=hana)
    assert User.objects.filter(role="admin", is_active=True).count() == 1


def test_the_last_administrator_stays(cast):
    second = peopling.save_user(None, by=cast.by(cast.root), **person(role="admin"))
    peopling.save_user(cast.root, by=cast.by(second), **person(email=cast.root.email, role="agent"))
    with pytest.raises(Refusal):
        peopling.save_user(second, by=cast.by(second), **person(role="agent"))
    assert User.objects.filter(role="admin", is_active=True).count() == 1


def test_teams(cast, client):
    client.force_login(cast.hana)
    form = {
        "name": "Night",
        "tier": "2",
        "skill": "Finance",
        "lead": cast.sujin.pk,
        "members": [cast.minji.pk, cast.jun.pk],
        "shops": [cast.moon.pk],
    }
    assert client.post("/people/teams/new/", form).status_code == 302
    team = Team.objects.get(name="Night")
    assert (team.tier, team.skill, team.lead) == (2, "finance", cast.sujin)
    assert set(team.members.all()) == {cast.minji, cast.jun} and list(team.shops.all()) == [cast.moon]
    assert client.post("/people/teams/new/", form).status_code == 422
    assert client.post(f"/people/teams/{team.pk}/", {**form, "members": [cast.kang.pk]}).status_code == 422
    client.post(f"/people/teams/{team.pk}/", {"name": "Night", "tier": "1"})
    assert not team.members.exists() and Team.objects.get(pk=team.pk).lead is None
    with pytest.raises(Refusal):
        peopling.save_team(
            None, by=cast.by(cast.hana), name="Z", tier=1, skill="", lead=None, members=[cast.kang], shops=[]
        )


def test_shops(cast, client):
    client.force_login(cast.hana)
    form = {
        "name": "Sori",
        "code": "Sori-1",
        "language": "ko",
        "zone": "Asia/Seoul",
        "currency": "krw",
        "merchants": [cast.kang.pk],
    }
    assert client.post("/people/shops/new/", form).status_code == 302
    shop = Shop.objects.get(code="sori-1")
    assert shop.currency == "KRW" and list(shop.merchants.all()) == [cast.kang]
    assert client.post("/people/shops/new/", form).status_code == 422
    for change in ({"currency": "K1W"}, {"code": "한글"}, {"zone": "x"}, {"merchants": [cast.minji.pk]}):
        assert client.post("/people/shops/new/", {**form, "code": "other", **change}).status_code == 422
    assert Shop.objects.count() == 3


@pytest.mark.parametrize("address", ["users/999999/", "users/99999999999999999999/", "gods/", "shops/0/"])
def test_what_is_not_there_is_not_there(cast, client, address):
    client.force_login(cast.hana)
    assert client.get("/people/" + address).status_code == 404


def test_nobody_who_may_not_sign_in_gets_a_link(cast):
    User.objects.filter(pk=cast.jun.pk).update(is_active=False)
    with pytest.raises(Refusal):
        peopling.link_for(User.objects.get(pk=cast.jun.pk), by=cast.by(cast.hana))
