"""AZ-04: sign-in by OpenID Connect, with a provider that is a process of its own.

State, nonce, audience, issuer, key and end of what it says are checked; a person is
issuer and subject; groups give and end roles; the second factor stays required.
"""

from __future__ import annotations

import dataclasses
import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from controls import clock
from controls.memberships import RoleOffer, take_role
from controls.models import AuditEvent, Membership, User
from srm_project.sign_on_settings import (
    RoleOfGroup,
    SignOnProvider,
    sign_on_provider,
)
from tests import factories
from tests.identity_provider import CLIENT, SECRET, IdentityProvider
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
ROLES = (
    RoleOfGroup("reviewers", "payments", "reviewer"),
    RoleOfGroup("officers", "payments", "officer"),
    RoleOfGroup("platform", "payments", "contributor", "platform"),
    RoleOfGroup("elsewhere", "no-such-system", "reviewer"),
)


@pytest.fixture
def provider(identity_provider: IdentityProvider, settings) -> IdentityProvider:
    """The provider that this installation trusts; nothing was refused yet."""
    cache.clear()
    settings.MFA_REQUIRED = False
    settings.SIGN_ON_PROVIDER = SignOnProvider(
        issuer=identity_provider.issuer,
        client_id=CLIENT,
        client_secret=SECRET,
        name="Example ID",
        scopes=("openid", "email"),
        groups_claim="groups",
        roles=ROLES,
        second_factors=frozenset(),
        link_by_email=True,
    )
    return identity_provider


def trust(settings, **changes: object) -> None:
    """Change what the installation says of its provider."""
    before = settings.SIGN_ON_PROVIDER
    settings.SIGN_ON_PROVIDER = dataclasses.replace(before, **changes)


def begin(browser: Client, onward: str = "") -> str:
    """Press the button; where the provider sends the browser back to."""
    led = browser.post("/accounts/sign-on/", {"next": onward})
    assert led.status_code == 302, led.content
    at_provider = requests.get(led["Location"], allow_redirects=False, timeout=10)
    back = at_provider.headers["Location"]
    assert back.startswith(f"{django_settings.SITE_URL}/accounts/sign-on/callback/?")
    return back.removeprefix(django_settings.SITE_URL)


def sign_in(browser: Client, onward: str = ""):
    return browser.get(begin(browser, onward))


def signed_in(browser: Client) -> str:
    """The address of who is signed in; "" for nobody."""
    key = browser.session.get("_auth_user_id")
    return User.objects.get(pk=key).email if key else ""


def refused(answer, browser: Client, status: int = 403) -> str:
    """The page's text; nobody is signed in."""
    assert answer.status_code == status
    assert signed_in(browser) == ""
    return " ".join(answer.content.decode().split())


def test_the_button_is_there_only_where_a_provider_is(client, provider, settings):
    page = client.get("/accounts/login/?next=/systems/").content.decode()
    assert "Sign in with Example ID" in page
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    assert f"form-action 'self' {provider.issuer};" in policy
    other = client.get("/accounts/password/reset/")["Content-Security-Policy"]
    assert "form-action 'self';" in other
    settings.SIGN_ON_PROVIDER = None
    assert "Example ID" not in client.get("/accounts/login/").content.decode()
    assert client.post("/accounts/sign-on/").status_code == 404
    assert client.get("/accounts/sign-on/callback/").status_code == 404


def test_no_other_door_of_the_library_is_open(client, provider):
    for path in ("3rdparty/", "3rdparty/signup/", "social/connections/"):
        assert client.get(f"/accounts/{path}").status_code == 404


def test_a_person_is_who_the_issuer_says_by_its_subject(client, provider, alice):
    """The address links once; afterwards it says nothing."""
    provider.signs_in("4711", email=alice.email.upper(), email_verified=True)
    answer = sign_in(client, "/systems/")
    assert (answer.status_code, answer["Location"]) == (302, "/systems/")
    assert signed_in(client) == alice.email
    identity = SocialAccount.objects.get()
    assert (identity.provider, identity.uid) == (provider.issuer, "4711")
    assert identity.extra_data == {}
    assert AuditEvent.objects.filter(verb="sign-on.linked").count() == 1

    provider.signs_in("4711", email="alice.married@example.test", email_verified=True)
    other_browser = Client()
    sign_in(other_browser)
    assert signed_in(other_browser) == alice.email

    provider.signs_in("9999", email=alice.email, email_verified=True)
    page = refused(sign_in(stranger := Client()), stranger)
    assert "Nobody with this sign-in has an account in SRM." in page


def test_another_issuer_with_the_same_subject_is_somebody_else(
    client, provider, alice, settings
):
    SocialAccount.objects.create(user=alice, provider="https://old.example", uid="4711")
    trust(settings, link_by_email=False)
    provider.signs_in("4711", email=alice.email, email_verified=True)
    refused(sign_in(client), client)


@pytest.mark.parametrize("verified", [False, "true", None])
def test_an_address_that_is_not_verified_links_nothing(
    client, provider, alice, verified
):
    provider.signs_in("4711", email=alice.email, email_verified=verified)
    refused(sign_in(client), client)
    assert not SocialAccount.objects.exists()


def test_an_unknown_person_gets_a_sentence_and_no_account(client, provider, system):
    people = User.objects.count()
    provider.signs_in("1", email="new@example.test", email_verified=True)
    page = refused(sign_in(client), client)
    assert "Ask an officer of your system to invite you" in page
    assert User.objects.count() == people
    event = AuditEvent.objects.filter(verb="session.refused").latest("pk")
    assert event.subject_label == "Example ID: new@example.test"


def test_a_closed_account_stays_closed(client, provider, alice):
    provider.signs_in("4711", email=alice.email, email_verified=True)
    sign_in(client)
    client.post("/accounts/logout/")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "is closed" in refused(sign_in(client), client)


SPOILT = (
    *("issuer", "audience", "audiences", "expired", "nonce", "no nonce", "no end"),
    *("unsigned", "public key as a secret", "another key", "unknown key"),
    *("somebody else", "no token"),
)


@pytest.mark.parametrize("spoil", SPOILT)
def test_an_answer_that_does_not_hold_signs_nobody_in(client, provider, alice, spoil):
    good = {"email": alice.email, "email_verified": True}
    provider.signs_in("4711", spoil, **good)
    page = refused(sign_in(client), client)
    assert "its answer could not be verified" in page
    assert not SocialAccount.objects.exists()
    provider.signs_in("4711", **good)
    sign_in(client)
    assert signed_in(client) == alice.email


def test_only_the_browser_that_began_ends_it_and_once(client, provider, alice):
    provider.signs_in("4711", email=alice.email, email_verified=True)
    back = begin(client)
    stranger = Client()
    refused(stranger.get(back), stranger)
    state = parse_qs(urlsplit(back).query)["state"][0]
    refused(client.get(back.replace(state, "0" * 16)), client)
    client.get(back)
    assert signed_in(client) == alice.email
    client.post("/accounts/logout/")
    refused(client.get(back), client)


def test_whoever_stops_at_the_provider_is_told(client, provider, alice):
    provider.signs_in("4711", "cancelled")
    assert "You stopped signing in with Example ID." in refused(sign_in(client), client)


def test_a_provider_that_is_away(client, provider, alice):
    provider.signs_in("4711", email=alice.email, email_verified=True)
    back = begin(client)
    provider.stop()
    sentence = "Example ID does not answer. Try again in a minute."
    assert sentence in refused(client.get(back), client, 503)
    assert sentence in refused(client.post("/accounts/sign-on/"), client, 503)


def test_nobody_is_led_to_another_host(client, provider, alice):
    provider.signs_in("4711", email=alice.email, email_verified=True)
    assert sign_in(client, "https://evil.example/")["Location"] == "/"


# --- groups ---------------------------------------------------------------------


def roles(user: User) -> set[tuple[str, str]]:
    """Roles that a person holds now, with the team."""
    rows = Membership.objects.active().filter(user=user).select_related("team")
    return {(row.role, row.team.slug if row.team else "") for row in rows}


def come(provider: IdentityProvider, user: User, *groups: str) -> None:
    """Sign in anew with these groups."""
    claims = {"email": user.email, "email_verified": True, "groups": list(groups)}
    provider.signs_in(f"subject of {user.email}", **claims)
    browser = Client()
    sign_in(browser)
    assert signed_in(browser) == user.email


def test_groups_give_roles_and_end_them(provider, system, mallory):
    come(provider, mallory, "reviewers", "platform", "elsewhere", "unheard of")
    assert roles(mallory) == {("reviewer", ""), ("contributor", "platform")}
    given = AuditEvent.objects.filter(verb="membership.created").latest("pk")
    assert given.actor is None
    assert json.loads(given.body)["group"] in {"reviewers", "platform"}
    come(provider, mallory, "reviewers", "platform")
    assert Membership.objects.filter(user=mallory).count() == 2  # nothing twice

    come(provider, mallory, "platform")
    assert roles(mallory) == {("contributor", "platform")}
    ended = AuditEvent.objects.filter(verb="membership.changed").latest("pk")
    assert json.loads(ended.body)["reason"] == "No longer in the group reviewers."
    come(provider, mallory)
    assert roles(mallory) == set()
    come(provider, mallory, "reviewers")
    assert roles(mallory) == {("reviewer", "")}


def test_what_people_gave_is_left_alone(provider, system, oscar, rita, mallory):
    """A role by hand is neither doubled nor ended by groups."""
    come(provider, rita, "reviewers")
    come(provider, rita)
    assert roles(rita) == {("reviewer", "")}
    offer = RoleOffer(role="reader", starts_on=TODAY)
    take_role(system, mallory, offer, given_by=oscar, now=clock.now())
    come(provider, mallory, "reviewers")
    come(provider, mallory)
    assert roles(mallory) == {("reader", "")}


def test_the_last_officer_goes_with_the_group_and_a_reason(
    provider, system, oscar, mallory
):
    come(provider, mallory, "officers")
    Membership.objects.filter(user=oscar).update(ends_at=clock.now())
    come(provider, mallory)
    assert roles(mallory) == set()


def test_a_role_of_an_officer_can_be_ended_by_an_officer(
    provider, system, mallory, oscar
):
    """And comes back at the next sign-in, as long as the group says so."""
    from controls.memberships import end_membership

    come(provider, mallory, "reviewers")
    held = Membership.objects.active().get(user=mallory)
    end_membership(held, by=oscar, now=clock.now())
    assert roles(mallory) == set()
    come(provider, mallory, "reviewers")
    assert roles(mallory) == {("reviewer", "")}


# --- the second factor ------------------------------------------------------------


def test_ours_is_required_as_after_a_password(client, provider, settings, alice):
    settings.MFA_REQUIRED = True
    provider.signs_in("4711", email=alice.email, email_verified=True, amr=["mfa"])
    sign_in(client)
    assert client.get("/systems/")["Location"] == "/accounts/2fa/"
    TOTP.activate(alice, generate_totp_secret())
    again = Client()
    assert sign_in(again)["Location"] == "/accounts/2fa/authenticate/"
    assert signed_in(again) == ""


@pytest.mark.parametrize(
    ("claims", "is_enough"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "mfa"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("has_ours", [False, True])
def test_that_of_the_provider_counts_where_the_setting_names_it(
    client, provider, settings, alice, claims, is_enough, has_ours
):
    settings.MFA_REQUIRED = True
    trust(settings, second_factors=frozenset({"mfa"}))
    if has_ours:
        TOTP.activate(alice, generate_totp_secret())
    provider.signs_in("4711", email=alice.email, email_verified=True, **claims)
    answer = sign_in(client)
    if is_enough:
        assert client.get("/systems/").status_code == 200
    elif has_ours:
        assert answer["Location"] == "/accounts/2fa/authenticate/"
    else:
        assert client.get("/systems/")["Location"] == "/accounts/2fa/"


def test_it_counts_for_that_session_only(client, provider, settings, alice):
    settings.MFA_REQUIRED = True
    trust(settings, second_factors=frozenset({"mfa"}))
    claims = {"email": alice.email, "email_verified": True}
    provider.signs_in("4711", **claims, amr=["mfa"])
    sign_in(client)
    client.post("/accounts/logout/")
    provider.signs_in("4711", **claims)
    sign_in(client)
    assert client.get("/systems/")["Location"] == "/accounts/2fa/"


# --- settings -------------------------------------------------------------------

GOOD = {
    "issuer": "https://id.example.org",
    "client_id": "srm",
    "client_secret": "s",
    "name": "Example ID",
    "scopes": "openid",
    "groups_claim": "groups",
    "roles": "",
    "second_factors": "",
}


def read(**changed: str) -> SignOnProvider | None:
    return sign_on_provider(**GOOD | changed, link_by_email=False)


def test_settings_that_hold() -> None:
    assert read(issuer="") is None
    rows = '[{"group": "g", "system": "s", "role": "contributor", "team": "t"}]'
    ours = read(roles=rows, second_factors="mfa hwk")
    assert ours is not None
    assert ours.roles == (RoleOfGroup("g", "s", "contributor", "t"),)
    assert ours.second_factors == {"mfa", "hwk"}
    assert read(issuer="http://localhost:9000") is not None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"issuer": "http://id.example.org"}, "https://"),
        ({"client_secret": ""}, "OIDC_CLIENT_SECRET"),
        ({"roles": "{"}, "JSON list"),
        ({"roles": '[{"group": "g"}]'}, "JSON list"),
        (
            {"roles": '[{"group": "g", "system": "s", "role": "auditor"}]'},
            "JSON list",
        ),
        (
            {"roles": '[{"group": "g", "system": "s", "role": "contributor"}]'},
            "JSON list",
        ),
    ],
)
def test_settings_that_do_not(changed, sentence) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read(**changed)


def test_an_identity_is_unlinked_by_an_administrator_on_record(provider, alice):
    from tests.sign_ins import sign_in_just_now

    identity = SocialAccount.objects.create(
        user=alice, provider=provider.issuer, uid="4711"
    )
    desk = sign_in_just_now(Client(), factories.administrator())
    page = f"/admin/socialaccount/socialaccount/{identity.pk}/delete/"
    assert desk.post(page, {"post": "yes"}).status_code == 302
    assert AuditEvent.objects.filter(verb="sign-on.unlinked").exists()
    assert not SocialAccount.objects.exists()
