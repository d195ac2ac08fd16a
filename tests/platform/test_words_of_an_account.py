"""Whoever signs in, changes a password or sets up a second factor reads our words.

The pages come from a library; every template with words in it is ours, and so is what
its forms and messages say.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
OURS = Path(settings.BASE_DIR) / "templates"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# Pieces without words of their own.
FRAMES = re.compile(r"(mfa|account|usersessions)/base_(manage|entrance)\w*\.html$")
THEIRS = re.compile(
    r"Two-Factor|Authenticator App|Sign In|Remember Me|Email\b|Deactivate|Incorrect"
    r"|not correct|Successfully|Use your password|placeholder=",
)


@pytest.fixture
def person(alice: Any) -> Any:
    cache.clear()
    alice.set_password(PASSWORD)
    alice.save()
    return alice


@pytest.fixture
def browser(person: Any) -> Client:
    client = Client()
    door = {"login": person.email, "password": PASSWORD}
    client.post(reverse("account_login"), door)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def read(answer: Any) -> str:
    """The text of a page, once no template of the library has words in it."""
    foreign = [
        str(template.origin.name)
        for template in answer.templates
        if "allauth/templates" in str(template.origin.name)
        and not FRAMES.search(str(template.origin.name))
    ]
    assert not foreign
    page: str = answer.content.decode().partition("<main")[2]
    assert (words := THEIRS.search(page)) is None, words
    return page


def code_of_now() -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(SECRET, counter))


def sentence_of(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_before_signing_in(person: Any) -> None:
    browser, door = Client(), reverse("account_login")
    page = read(browser.get(door))
    assert "E-mail address" in page and "Half an hour without use" in page
    wrong = browser.post(door, {"login": person.email, "password": "something else"})
    assert "This address and password do not belong together." in read(wrong)
    read(browser.get(reverse("account_reset_password")))
    read(browser.get(reverse("account_reset_password_done")))
    read(browser.get(reverse("account_email_verification_sent")))
    read(browser.get(reverse("account_signup")))


def test_the_pages_of_an_account(browser: Client, person: Any) -> None:
    for name in (
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_list_webauthn",
        "account_change_password",
        "usersessions_list",
        "account_reauthenticate",
    ):
        read(browser.get(reverse(name)))
    wrong = browser.post(reverse("mfa_activate_totp"), {"code": "000000"})
    assert "The code is not right." in read(wrong)
    wrong = browser.post(reverse("account_reauthenticate"), {"password": "other"})
    assert "This is not your password." in read(wrong)
    ended = browser.post(reverse("usersessions_list"))
    assert sentence_of(ended).startswith("All other sessions are ended.")
    out = browser.post(reverse("account_logout"))
    assert sentence_of(out).endswith("You are signed out.")


def test_with_an_app(browser: Client, person: Any) -> None:
    TOTP.activate(person, SECRET)
    RecoveryCodes.activate(person)
    read(browser.get(reverse("mfa_index")))
    codes = read(browser.get(reverse("mfa_view_recovery_codes")))
    assert "10 codes of 10 are left" in codes
    read(browser.get(reverse("mfa_generate_recovery_codes")))
    read(browser.get(reverse("mfa_reauthenticate")))
    confirm = read(browser.get(reverse("account_reauthenticate")))
    assert "Type a code of your app, or a recovery code" in confirm
    read(browser.get(reverse("mfa_deactivate_totp")))
    away = browser.post(reverse("mfa_deactivate_totp"))
    assert sentence_of(away).startswith("The authenticator app is taken away.")
    assert not Authenticator.objects.filter(user=person).exists()


def test_the_code_at_sign_in(person: Any) -> None:
    TOTP.activate(person, SECRET)
    browser = Client()
    door = {"login": person.email, "password": PASSWORD}
    page = browser.post(reverse("account_login"), door, follow=True)
    assert "Show your second factor" in read(page)
    wrong = browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "The code is not right." in read(wrong)
    right = browser.post(reverse("mfa_authenticate"), {"code": code_of_now()})
    assert right.status_code == 302
    assert sentence_of(right) == f"You are signed in as {person}."


def test_a_security_key_of_theirs(browser: Client, person: Any) -> None:
    key = Authenticator.objects.create(
        user=person, type="webauthn", data={"name": "Blue key", "credential": {}}
    )
    assert "Blue key" in read(browser.get(reverse("mfa_list_webauthn")))
    rename = reverse("mfa_edit_webauthn", args=[key.pk])
    assert "Name of the key" in read(browser.get(rename))
    assert browser.post(rename, {"name": "Red key"}).status_code == 302
    away = read(browser.get(reverse("mfa_remove_webauthn", args=[key.pk])))
    assert "“Red key” will not sign you in any more" in away


def test_a_first_password_after_single_sign_on(person: Any) -> None:
    person.set_unusable_password()
    person.save()
    browser = Client()
    browser.force_login(person)
    page = read(browser.get(reverse("account_set_password")))
    assert "Your account has none yet." in page
