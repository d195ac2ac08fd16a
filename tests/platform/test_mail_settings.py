"""EMAIL_URL says where mail goes; nonsense stops the start."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from srm_project.mail_settings import mail_settings
from tests.platform.test_settings import start


def test_console_and_folder():
    assert mail_settings("console:")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    said = mail_settings("file:///var/mail/srm%20test")
    assert said["EMAIL_FILE_PATH"] == "/var/mail/srm test"


@pytest.mark.parametrize(
    ("url", "port", "ssl", "tls"),
    [
        ("smtp://mail.example.org", 25, False, False),
        ("smtps://mail.example.org", 465, True, False),
        ("smtp+tls://mail.example.org:2525", 2525, False, True),
    ],
)
def test_servers(url, port, ssl, tls):
    said = mail_settings(url)
    assert (said["EMAIL_HOST"], said["EMAIL_PORT"]) == ("mail.example.org", port)
    assert (said["EMAIL_USE_SSL"], said["EMAIL_USE_TLS"]) == (ssl, tls)


def test_a_password_may_hold_anything():
    said = mail_settings("smtp://a%40b:p%3A%2F%40@mail.example.org")
    assert (said["EMAIL_HOST_USER"], said["EMAIL_HOST_PASSWORD"]) == ("a@b", "p:/@")


@pytest.mark.parametrize(
    "url",
    ["", "smtp://", "http://x", "file://x/y", "file:y", "smtp://h:port", "console"],
)
def test_nonsense_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL is"):
        mail_settings(url)


@given(st.text(max_size=60))
def test_whatever_is_said_is_read_or_refused(text):
    try:
        assert "EMAIL_BACKEND" in mail_settings(text)
    except ImproperlyConfigured as refusal:
        assert "EMAIL_URL is" in str(refusal)


def test_the_start_stops_for_nonsense():
    assert "EMAIL_URL" in start(EMAIL_URL="pigeon:")
    assert "LOG_FORMAT" in start(LOG_FORMAT="xml")
    assert start(EMAIL_URL="console:", LOG_FORMAT="text") == ""
