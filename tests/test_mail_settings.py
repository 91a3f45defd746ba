"""Letters leave as the environment says, and an odd value is refused by its name."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from makegood.mail_settings import SMTP, letters_out


def test_nothing_said_is_no_mail_server():
    found = letters_out({})
    assert (found.backend, found.host, found.port, found.sender) == (SMTP, "", 25, "support@makegood.example")


def test_a_mail_server():
    found = letters_out(
        {
            "EMAIL_HOST": "mail.example",
            "EMAIL_USE_SSL": "yes",
            "EMAIL_HOST_USER": "u",
            "EMAIL_HOST_PASSWORD": "p",
            "DEFAULT_FROM_EMAIL": "하늘 <help@haneul.example>",
        }
    )
    assert (found.host, found.port, found.ssl, found.tls) == ("mail.example", 465, True, False)


def test_a_provider_with_its_keys():
    pytest.importorskip("anymail", reason="the extra 'providers' is not installed")
    for name in ("mailgun", "anymail.backends.mailgun.EmailBackend"):
        found = letters_out({"EMAIL_BACKEND": name, "ANYMAIL_MAILGUN_API_KEY": "k"})
        assert found.backend == "anymail.backends.mailgun.EmailBackend"
        assert found.anymail == {"MAILGUN_API_KEY": "k"}


@pytest.mark.parametrize(
    "odd, said",
    [
        ({"EMAIL_BACKEND": "pigeon"}, "EMAIL_BACKEND"),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT"),
        ({"EMAIL_PORT": "70000"}, "EMAIL_PORT"),
        ({"EMAIL_PORT": "²⁵"}, "EMAIL_PORT"),
        ({"EMAIL_USE_TLS": "maybe"}, "EMAIL_USE_TLS"),
        ({"EMAIL_USE_TLS": "1", "EMAIL_USE_SSL": "1"}, "exclude"),
        ({"EMAIL_HOST": "smtp://mail.example"}, "EMAIL_HOST"),
        ({"EMAIL_HOST": "mail.example", "EMAIL_HOST_USER": "u"}, "EMAIL_HOST_PASSWORD"),
        ({"DEFAULT_FROM_EMAIL": "nobody"}, "DEFAULT_FROM_EMAIL"),
        ({"ANYMAIL_MAILGUN_API_KEY": "k"}, "ANYMAIL_MAILGUN_API_KEY"),
        ({"EMAIL_BACKEND": "mailgun", "EMAIL_HOST": "mail.example"}, "EMAIL_HOST"),
    ],
)
def test_an_odd_value_is_named(odd, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        letters_out(odd)


def test_a_provider_whose_library_is_missing_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match="extra 'providers'"):
        letters_out({"EMAIL_BACKEND": "postmark"})
