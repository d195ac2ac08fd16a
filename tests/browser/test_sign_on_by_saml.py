"""AZ-05 in a browser: the provider's form comes from another site, and signs in.

Browsers send the cookie of our session (SameSite=Lax) with no form of another site; the
page that follows has it. The provider lies at 127.0.0.1, we at localhost: two sites.
"""

from __future__ import annotations

import base64
import threading
import zlib
from collections.abc import Iterator
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as django_settings
from django.core.signals import request_started
from lxml import etree
from playwright.sync_api import Page, expect

from srm_project.saml_settings import SamlProvider
from tests.saml_provider import ISSUER, PERSISTENT, SamlProviderOfTests, packed

pytestmark = pytest.mark.django_db(transaction=True)
DOOR = "/accounts/sign-on/saml/"
FORM = """<!doctype html><title>Provider</title>
<form method="post" action="{address}">
<input type="hidden" name="SAMLResponse" value="{response}"></form>
<script>document.forms[0].submit()</script>"""


class Provider(BaseHTTPRequestHandler):
    """Signs in the same person whenever it is asked, without a page for it."""

    made: SamlProviderOfTests

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        text = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15)
        asked = etree.fromstring(text)
        signed = self.made.signed(self.made.response(asked.get("ID"), "4711"))
        page = FORM.format(
            address=escape(asked.get("AssertionConsumerServiceURL")),
            response=packed(signed),
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


@pytest.fixture
def provider(live_server: Any, settings: Any) -> Iterator[str]:
    """A provider at another site than ours, that ours trusts."""
    settings.MFA_REQUIRED = False
    address = f"{live_server.url}{DOOR}"
    made = SamlProviderOfTests(address, f"{address}metadata/")
    server = HTTPServer(
        ("127.0.0.1", 0), type("ProviderHere", (Provider,), {"made": made})
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_port}"
    settings.SIGN_ON_PROVIDER = SamlProvider(
        issuer=ISSUER,
        sso_url=f"{origin}/sso",
        certificates=(made.certificate,),
        name="Example ID",
        address=address,
        audience=made.audience,
        name_id_format=PERSISTENT,
        subject_attribute="",
        email_attribute="",
        groups_attribute="groups",
        roles=(),
        second_factors=frozenset(),
        link_by_email=False,
        signed_responses=False,
    )
    yield origin
    server.shutdown()
    server.server_close()
    thread.join()


def test_somebody_signs_in_by_a_form_of_another_site(
    page: Page, provider: str, alice: Any, live_server: Any
) -> None:
    assert urlsplit(live_server.url).hostname == "localhost"
    SocialAccount.objects.create(user=alice, provider=ISSUER, uid="4711")
    cookies: dict[str, str] = {}

    def note(environ: dict[str, Any], **kwargs: Any) -> None:
        if environ["PATH_INFO"].startswith(DOOR):
            cookies[environ["PATH_INFO"]] = environ.get("HTTP_COOKIE", "")

    request_started.connect(note)
    try:
        page.goto("/accounts/login/?next=/accounts/sessions/")
        page.get_by_role("button", name="Sign in with Example ID").click()
        expect(page).to_have_url(f"{live_server.url}/accounts/sessions/")
    finally:
        request_started.disconnect(note)
    session = django_settings.SESSION_COOKIE_NAME
    assert f"{session}=" not in cookies[DOOR]
    assert f"{session}=" in cookies[f"{DOOR}back/"]
    assert f"{session}_saml=" in cookies[f"{DOOR}back/"]
    expect(page.get_by_role("link", name="My work").first).to_be_visible()
    kept = {cookie["name"] for cookie in page.context.cookies()}
    assert f"{session}_saml" not in kept
