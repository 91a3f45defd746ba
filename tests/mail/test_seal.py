"""Sealed secrets: unreadable in the database, and not lost when the site's key changes with the old one named."""

from __future__ import annotations

import pytest

from makegood.base.seal import Broken, seal, unseal


def test_what_is_sealed_opens_again_and_never_looks_the_same():
    secret = {"password": "비밀번호 hunter2"}
    one, two = seal(secret), seal(secret)
    assert unseal(one) == unseal(memoryview(two)) == secret and one != two and b"hunter2" not in one
    assert unseal(b"") == {}


def test_another_key_opens_nothing_unless_the_old_one_is_named(settings):
    sealed, old = seal({"password": "x"}), settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(Broken):
        unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unseal(sealed) == {"password": "x"}


def test_what_somebody_changed_is_refused():
    with pytest.raises(Broken):
        unseal(seal({"password": "x"})[:-4] + b"AAAA")
