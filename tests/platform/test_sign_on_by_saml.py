"""AZ-05: sign-in by SAML: signed assertions only, each once, made for us and now.

The provider is made by the test, with keys of its own; its form comes to us as browsers
send it from another site, without the cookie of our session.
"""

from __future__ import annotations

import base64
import copy
import json
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from lxml import etree

from controls.models import AuditEvent, Membership, SpentAssertion, User
from srm_project import saml_settings
from srm_project.saml_settings import SamlProvider, saml_provider
from srm_project.saml_views import COOKIE
from srm_project.sign_on_settings import RoleOfGroup
from tests.saml_provider import (
    ISSUER,
    PERSISTENT,
    SIGN_IN,
    SPACES,
    SamlProviderOfTests,
    packed,
    wrapped,
)

pytestmark = pytest.mark.django_db
DOOR = "/accounts/sign-on/saml/"
ROLES = (
    RoleOfGroup("reviewers", "payments", "reviewer"),
    RoleOfGroup("platform", "payments", "contributor", "platform"),
)
NO_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
UNVERIFIED = "its answer could not be verified"


@pytest.fixture(scope="module")
def made() -> SamlProviderOfTests:
    """A provider with its keys."""
    address = django_settings.SITE_URL + DOOR
    return SamlProviderOfTests(address, f"{address}metadata/")


@pytest.fixture
def provider(made: SamlProviderOfTests, settings) -> SamlProviderOfTests:
    """The provider that this installation trusts; nothing was refused yet."""
    cache.clear()
    settings.MFA_REQUIRED = False
    trust(settings, made)
    return made


def trust(settings, made: SamlProviderOfTests, **changed: Any) -> None:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "sso_url": SIGN_IN,
        "certificates": (made.certificate,),
        "name": "Example ID",
        "address": made.address,
        "audience": made.audience,
        "name_id_format": PERSISTENT,
        "subject_attribute": "",
        "email_attribute": "email",
        "groups_attribute": "groups",
        "roles": ROLES,
        "second_factors": frozenset(),
        "link_by_email": True,
        "signed_responses": False,
    }
    settings.SIGN_ON_PROVIDER = SamlProvider(**facts | changed)


def request_of(browser: Client, onward: str = "") -> Any:
    """Press the button: the request with which the browser is led to the provider."""
    led = browser.post("/accounts/sign-on/", {"next": onward})
    assert led.status_code == 302, led.content
    assert led["Location"].startswith(f"{SIGN_IN}?SAMLRequest=")
    (text,) = parse_qs(urlsplit(led["Location"]).query)["SAMLRequest"]
    return etree.fromstring(zlib.decompress(base64.b64decode(text), -15))


def begin(browser: Client, onward: str = "") -> str:
    return request_of(browser, onward).get("ID")


def bring(browser: Client, response: Any):
    """The provider's form, as a browser brings it from there; then back to us."""
    elsewhere = Client(
        enforce_csrf_checks=True, headers={"origin": "https://idp.example"}
    )
    answer = elsewhere.post(DOOR, {"SAMLResponse": packed(response), "RelayState": "x"})
    if answer.status_code != 303:
        assert COOKIE not in elsewhere.cookies
        return answer
    kept = elsewhere.cookies[COOKIE]
    assert (kept["httponly"], kept["samesite"]) == (True, "Lax")
    assert list(elsewhere.cookies) == [COOKIE]
    browser.cookies[COOKIE] = kept.value
    return browser.get(answer["Location"])


def sign_in(browser: Client, provider, subject="4711", onward="", **attributes):
    asked = begin(browser, onward)
    return bring(
        browser, provider.signed(provider.response(asked, subject, attributes))
    )


def signed_in(browser: Client) -> str:
    """The address of who is signed in; "" for nobody."""
    key = browser.session.get("_auth_user_id")
    return User.objects.get(pk=key).email if key else ""


def refused(answer, browser: Client, status: int = 403) -> str:
    """The page's text; nobody is signed in."""
    assert answer.status_code == status
    assert signed_in(browser) == ""
    return " ".join(answer.content.decode().split())


# --- who may come -----------------------------------------------------------------


def test_a_person_is_who_the_issuer_says_by_its_subject(client, provider, alice):
    """The address links once, by the setting; afterwards it says nothing."""
    page = client.get("/accounts/login/")
    assert "Sign in with Example ID" in page.content.decode()
    assert "form-action 'self' https://idp.example;" in page["Content-Security-Policy"]
    answer = sign_in(client, provider, onward="/systems/", email=[alice.email.upper()])
    assert (answer.status_code, answer["Location"]) == (302, "/systems/")
    assert signed_in(client) == alice.email
    assert client.cookies[COOKIE].value == ""
    identity = SocialAccount.objects.get()
    assert (identity.provider, identity.uid) == (ISSUER, "4711")
    assert identity.extra_data == {}
    linked = AuditEvent.objects.get(verb="sign-on.linked")
    assert json.loads(linked.body)["known_as"] == "4711"
    assert AuditEvent.objects.filter(verb="session.started").exists()
    row = SpentAssertion.objects.get()
    assert (row.ticket, row.claims) == ("", {})

    sign_in(married := Client(), provider, email=["alice.married@example.test"])
    assert signed_in(married) == alice.email
    answer = sign_in(stranger := Client(), provider, "9999", email=[alice.email])
    assert "Nobody with this sign-in has an account" in refused(answer, stranger)
    people = User.objects.count()
    answer = sign_in(stranger, provider, "8888", email=["new@example.test"])
    assert "Ask an officer of your system to invite you" in refused(answer, stranger)
    assert User.objects.count() == people
    event = AuditEvent.objects.filter(verb="session.refused").latest("pk")
    assert event.subject_label == "Example ID: new@example.test"

    client.post("/accounts/logout/")
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert "is closed" in refused(sign_in(client, provider), client)


def test_an_address_links_nothing_unless_the_setting_says_so(
    client, provider, settings, alice
):
    trust(settings, provider, link_by_email=False)
    refused(sign_in(client, provider, email=[alice.email]), client)
    trust(settings, provider)
    refused(sign_in(client, provider, email=[alice.email, "b@example.test"]), client)
    refused(sign_in(client, provider, other=[alice.email]), client)
    assert not SocialAccount.objects.exists()
    SocialAccount.objects.create(user=alice, provider="https://old.example", uid="1")
    trust(settings, provider, link_by_email=False)
    refused(sign_in(client, provider, "1"), client)  # another issuer's number 1


def test_a_subject_may_be_an_attribute(client, provider, settings, alice):
    trust(settings, provider, subject_attribute="employee", link_by_email=True)
    assert request_of(client).find("p:NameIDPolicy", SPACES) is None
    sign_in(client, provider, "changes", employee=["E-1"], email=[alice.email])
    assert signed_in(client) == alice.email
    assert SocialAccount.objects.get().uid == "E-1"
    for employee in ([], ["E-1", "E-2"]):
        answer = sign_in(other := Client(), provider, "changes", employee=employee)
        refused(answer, other)


def test_who_we_are_and_what_we_ask_is_of_the_settings(client, provider, settings):
    """Never of the Host header: SITE_URL is where responses go."""
    settings.ALLOWED_HOSTS = ["other.example", "testserver", "localhost"]
    page = client.get(f"{DOOR}metadata/", headers={"host": "other.example"})
    us = etree.fromstring(page.content)
    assert us.get("entityID") == provider.audience
    service = us.find(".//{*}AssertionConsumerService")
    assert service.get("Location") == provider.address
    assert us[0].get("WantAssertionsSigned") == "true"
    led = client.post("/accounts/sign-on/", headers={"host": "other.example"})
    (text,) = parse_qs(urlsplit(led["Location"]).query)["SAMLRequest"]
    asked = etree.fromstring(zlib.decompress(base64.b64decode(text), -15))
    assert asked.get("AssertionConsumerServiceURL") == provider.address
    assert asked.get("Destination") == SIGN_IN
    assert asked.find("a:Issuer", SPACES).text == provider.audience
    assert asked.find("p:NameIDPolicy", SPACES).get("Format") == PERSISTENT

    assert client.get(DOOR).status_code == 405
    assert client.get("/accounts/sign-on/callback/").status_code == 404
    for path in ("sls/", "acs/", "login/"):
        assert client.get(f"{DOOR}{path}").status_code == 404
    settings.SIGN_ON_PROVIDER = None
    assert client.post(DOOR).status_code == 404
    for path in ("back/", "metadata/"):
        assert client.get(f"{DOOR}{path}").status_code == 404


# --- what is not believed -----------------------------------------------------------


def test_a_response_counts_once_and_after_a_restart_too(client, provider, alice):
    asked = begin(client)
    response = provider.signed(
        provider.response(asked, "4711", {"email": [alice.email]})
    )
    assert bring(client, response).status_code == 302
    client.post("/accounts/logout/")
    cache.clear()
    page = refused(bring(client, response), client)
    assert "This answer of Example ID was used before. Sign in again." in page
    assert AuditEvent.objects.filter(verb="session.refused").count() == 1
    # nor signed anew around it, nor brought by another browser
    again = copy.deepcopy(response)
    again.set("ID", "_another")
    assert "was used before" in refused(bring(client, again), client)
    assert "was used before" in refused(bring(other := Client(), response), other)


def test_only_the_browser_that_began_ends_it_and_once(client, provider, alice):
    """A response that nobody here asked for signs nobody in (login CSRF)."""
    email = {"email": [alice.email]}
    asked = begin(client)
    page = refused(
        bring(other := Client(), provider.signed(provider.response(asked, "1", email))),
        other,
    )
    assert UNVERIFIED in page
    bring(client, provider.signed(provider.response(asked, "1", email)))
    assert signed_in(client) == alice.email
    client.post("/accounts/logout/")
    # the request was answered, though the assertion is another one
    answer = bring(client, provider.signed(provider.response(asked, "1", email)))
    refused(answer, client)
    refused(client.get(f"{DOOR}back/"), client)  # nothing waits for this browser
    begin(client)
    unknown = provider.signed(provider.response("_unknown", "1", email))
    assert UNVERIFIED in refused(bring(client, unknown), client)


def test_spoilt_and_wrapped_responses_come_to_nothing(client, provider, alice):
    """Each way is looked at in tests/controls/test_saml_responses.py."""
    email = {"email": [alice.email]}
    asked = begin(client)
    made = provider.signed(provider.response(asked, "4711", email), whole=True)
    spoilt = [wrapped(made, kind, "4711") for kind in range(1, 9)]
    spoilt += [provider.response(asked, "4711", email), b"no XML", b""]
    for response in spoilt:
        assert UNVERIFIED in refused(bring(client, response), client)
    assert UNVERIFIED in refused(client.post(DOOR, {}), client)
    assert UNVERIFIED in refused(client.post(DOOR, {"SAMLResponse": "?"}), client)
    long = {"SAMLResponse": "A" * 200_001}
    assert UNVERIFIED in refused(client.post(DOOR, long), client)
    assert not SpentAssertion.objects.exists()
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(verb="session.refused").count() == len(spoilt) + 3
    bring(client, made)
    assert signed_in(client) == alice.email


def test_whoever_sends_answers_for_ever_fills_no_log(client, provider, monkeypatch):
    """AU-01, RE-07: a hundred an hour are on record; the others are refused all the
    same."""
    monkeypatch.setattr("controls.accounts.identities.MAX_REFUSED", 3)
    for _ in range(5):
        assert UNVERIFIED in refused(client.post(DOOR, {"SAMLResponse": "?"}), client)
    assert AuditEvent.objects.filter(verb="session.refused").count() == 3


def test_whoever_the_provider_does_not_sign_in_is_told(client, provider):
    status = "urn:oasis:names:tc:SAML:2.0:status:Responder"
    response = provider.response(begin(client), "4711", status=status)
    page = refused(bring(client, response), client)
    assert "Example ID did not sign you in." in page


def test_nobody_is_led_to_another_host(client, provider, alice):
    answer = sign_in(client, provider, onward="https://evil.test/", email=[alice.email])
    assert answer["Location"] == "/"


# --- groups and the second factor ----------------------------------------------------


def test_groups_give_roles_and_end_them(provider, system, mallory):
    def come(*groups: str) -> set[tuple[str, str]]:
        browser = Client()
        sign_in(browser, provider, email=[mallory.email], groups=groups)
        assert signed_in(browser) == mallory.email
        rows = Membership.objects.active().filter(user=mallory)
        return {
            (row.role, row.team.slug if row.team else "")
            for row in rows.select_related("team")
        }

    both = {("reviewer", ""), ("contributor", "platform")}
    assert come("reviewers", "platform", "unheard of") == both
    given = AuditEvent.objects.filter(verb="membership.created").latest("pk")
    assert given.actor is None
    assert json.loads(given.body)["group"] in {"reviewers", "platform"}
    assert come("platform") == {("contributor", "platform")}
    ended = AuditEvent.objects.filter(verb="membership.changed").latest("pk")
    assert json.loads(ended.body)["reason"] == "No longer in the group reviewers."
    assert come() == set()
    assert come("reviewers") == {("reviewer", "")}


def test_a_second_factor_counts_where_the_setting_names_the_context(
    client, provider, settings, alice
):
    settings.MFA_REQUIRED = True
    sign_in(client, provider, email=[alice.email])
    assert client.get("/systems/")["Location"] == "/accounts/2fa/"
    TOTP.activate(alice, generate_totp_secret())
    answer = sign_in(again := Client(), provider)
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert signed_in(again) == ""

    mfa = "https://refeds.org/profile/mfa"
    trust(settings, provider, second_factors=frozenset({mfa}))
    for context, is_enough in ((mfa, True), ("other", False)):
        response = provider.response(
            begin(browser := Client()), "4711", {}, context=context
        )
        bring(browser, provider.signed(response))
        assert bool(signed_in(browser)) is is_enough
        assert (browser.get("/systems/").status_code == 200) is is_enough


# --- settings -------------------------------------------------------------------


def read(made: SamlProviderOfTests, **changed: Any) -> SamlProvider | None:
    facts: dict[str, Any] = {
        "issuer": ISSUER,
        "sso_url": SIGN_IN,
        "certificates": made.certificate,
        "name": "Example ID",
        "address": made.address,
        "audience": made.audience,
        "name_id_format": "",
        "subject_attribute": "",
        "email_attribute": "",
        "groups_attribute": "groups",
        "roles": "",
        "second_factors": "",
        "link_by_email": False,
        "signed_responses": False,
    }
    return saml_provider(**facts | changed)


def test_settings_that_hold(made) -> None:
    assert read(made, issuer="") is None
    rows = '[{"group": "g", "system": "s", "role": "reviewer"}]'
    ours = read(made, roles=rows, second_factors="a b")
    assert ours is not None
    assert ours.roles == (RoleOfGroup("g", "s", "reviewer"),)
    assert ours.second_factors == {"a", "b"}
    assert (ours.name_id_format, ours.origin) == (PERSISTENT, "https://idp.example")
    two = read(made, certificates=f"next\n{made.certificate}\n{made.certificate}")
    assert two is not None
    assert len(two.certificates) == 2


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"issuer": "x" * 201}, "200 characters"),
        ({"sso_url": "http://idp.example/sso"}, "https://"),
        ({"certificates": ""}, "SAML_CERTIFICATES"),
        (
            {"certificates": NO_CERTIFICATE},
            "no certificate",
        ),
        (
            {"name_id_format": PERSISTENT.replace("persistent", "transient")},
            "transient",
        ),
        ({"link_by_email": True}, "SAML_EMAIL_ATTRIBUTE"),
        ({"roles": "{"}, "SAML_ROLES is a JSON list"),
    ],
)
def test_settings_that_do_not(made, changed, sentence) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read(made, **changed)
    with pytest.raises(ImproperlyConfigured, match="or two of them"):
        read(made, certificates=made.certificate * 3)


def test_a_short_key_and_missing_libraries_stop_the_start(made, monkeypatch) -> None:
    short = SamlProviderOfTests(made.address, made.audience, bits=1024)
    with pytest.raises(ImproperlyConfigured, match="2048 bits"):
        read(made, certificates=short.certificate)
    monkeypatch.setattr(saml_settings, "LIBRARIES", ("no_such_library",))
    with pytest.raises(ImproperlyConfigured, match=r"-r requirements-saml\.txt"):
        read(made)
    assert read(made, issuer="") is None
