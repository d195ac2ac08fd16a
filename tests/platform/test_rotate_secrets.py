"""RE-15: another SECRET_KEY loses nobody's work while the one before is a fallback.

Without the fallback people sign in again and ask for links again; nothing else is
bound to the key: passwords, second factors and tokens go on.
"""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from controls import clock, sealed_previews
from controls.accounts import addresses, invitations, tokens
from controls.memberships import RoleOffer
from controls.models import Invitation
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def limits_count_anew() -> None:
    """So many mails an hour, whoever asked for them in other tests."""
    cache.clear()


NEW_KEY = "another key of the installation, made by hand, long enough to be taken"


def rotate(settings: Any, *, keep_old: bool) -> None:
    """Put another key in force, as an operator does with both variables."""
    old = settings.SECRET_KEY
    assert old != NEW_KEY
    settings.SECRET_KEY = NEW_KEY
    settings.SECRET_KEY_FALLBACKS = [old] if keep_old else []


def is_signed_in(browser: Client) -> bool:
    return browser.get("/systems/").status_code == 200


@pytest.fixture
def invited(system, oscar) -> Invitation:
    offer = RoleOffer(role="reader", starts_on=TODAY)
    return invitations.invite(
        system, "new@example.test", offer, by=oscar, now=clock.now()
    )


@pytest.mark.parametrize("keep_old", [True, False])
def test_who_is_signed_in(settings, client, as_user, alice, keep_old) -> None:
    browser = as_user(alice)
    rotate(settings, keep_old=keep_old)
    assert is_signed_in(browser) is keep_old
    if keep_old:  # they carry the new key by now, so the old one may go
        settings.SECRET_KEY_FALLBACKS = []
        assert is_signed_in(browser)


@pytest.mark.parametrize("keep_old", [True, False])
def test_links_of_mails(settings, client, invited, alice, keep_old) -> None:
    settings.MFA_REQUIRED = False
    invitation = reverse("invitation", args=[invitations.link_key(invited)])
    change = addresses.ask_for_address(alice, "alice.b@example.test", now=clock.now())
    address = addresses.link_key(change)
    mail.outbox.clear()
    alice.set_password("a password of alice")
    alice.save()
    client.post("/accounts/password/reset/", {"email": alice.email})
    (reset,) = [line for line in mail.outbox[0].body.split() if "/reset/key/" in line]
    reset = reset.partition("//")[2].partition("/")[2]
    rotate(settings, keep_old=keep_old)
    assert (client.get(invitation).status_code == 200) is keep_old
    opened = client.get(f"/{reset}", follow=True)
    assert (b'name="password1"' in opened.content) is keep_old
    if keep_old:
        assert addresses.find_change(address, by=alice, now=clock.now()) == change


@pytest.mark.parametrize("keep_old", [True, False])
def test_what_is_bound_to_no_key(settings, client, alice, keep_old) -> None:
    settings.MFA_REQUIRED = True
    alice.set_password("a password of alice")
    alice.save()
    TOTP.activate(alice, generate_totp_secret())
    _, secret = tokens.make_token(alice, name="script", scope="read", days=9)
    rotate(settings, keep_old=keep_old)
    form = {"login": alice.email, "password": "a password of alice"}
    answer = client.post("/accounts/login/", form)
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    program = Client(headers={"Authorization": f"Token {secret}"})
    assert program.get("/api/v1/systems/").status_code == 200


def test_a_preview_that_waits_for_its_confirmation(settings, alice) -> None:
    sealed = sealed_previews.seal("of a test", 7, {"rows": 3}, by=alice)
    rotate(settings, keep_old=True)
    body = sealed_previews.unseal("of a test", sealed, 7, by=alice, again="Again.")
    assert body["rows"] == 3
