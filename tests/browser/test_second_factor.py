"""A person adds a second factor; nothing on the way is stopped by the policy."""

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as steps
from django.core.cache import cache
from django.urls import reverse

PASSWORD = "correct horse battery staple"
NAMES = [
    "mfa_index",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "account_email",
    "account_change_password",
    "usersessions_list",
    "account_reauthenticate",
]


@pytest.fixture
def signed_in(page, alice):
    """A window in which Alice has just typed her password."""
    cache.clear()
    alice.set_password(PASSWORD)
    alice.save()
    page.goto(reverse("account_login"))
    page.fill("input[name=login]", alice.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_load_state()
    return page


def test_adding_an_authenticator(signed_in):
    signed_in.goto(reverse("mfa_activate_totp"))
    if "reauthenticate" in signed_in.url:
        signed_in.fill("input[name=password]", PASSWORD)
        signed_in.click("main button[type=submit]")
        signed_in.wait_for_load_state()
    secret = signed_in.locator("#authenticator_secret").input_value()
    counter = next(iter(steps()))
    signed_in.fill("input[name=code]", format_hotp_value(hotp_value(secret, counter)))
    signed_in.click("main button[type=submit]")
    signed_in.wait_for_load_state()
    assert signed_in.url.endswith(reverse("mfa_view_recovery_codes"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_the_account(signed_in, name):
    answer = signed_in.goto(reverse(name))
    assert answer.status == 200
    assert signed_in.locator("h1").count() == 1
    for width in (1280, 320):
        signed_in.set_viewport_size({"width": width, "height": 900})
        wide = signed_in.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


def with_a_key(page) -> None:
    """Plugs a security key into the browser; its owner is always there."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})


def test_a_security_key_is_added_and_then_asked_for(signed_in, alice):
    page = signed_in
    with_a_key(page)
    page.goto(reverse("mfa_add_webauthn"))
    if "reauthenticate" in page.url:
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_load_state()
    page.fill("input[name=name]", "Blue key")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "webauthn/add" not in url)
    assert alice.authenticator_set.filter(type="webauthn").count() == 1

    page.goto(reverse("account_logout"))
    page.click("main button")
    page.wait_for_load_state()
    page.goto(reverse("account_login"))
    page.fill("input[name=login]", alice.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_load_state()
    assert "2fa/authenticate" in page.url
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url("**/work/")
