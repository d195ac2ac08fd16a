"""A person makes a token on a page, copies it once, sees when it was used, revokes it.

AZ-07: hashed, scoped, shown once; AZ-12: making one asks who one is.
"""

from __future__ import annotations

import re

import pytest
from django.test import Client
from knox.models import AuthToken

from controls.models import AuditEvent, System, TokenScope, User
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
PAGE = "/accounts/tokens/"
SECRET = re.compile(r"Token ([0-9a-f]{64})")


@pytest.fixture
def browser(oscar: User) -> Client:
    return sign_in_just_now(Client(), oscar)


def fields(**other: str) -> dict[str, str]:
    return {"name": "backups at night", "scope": "read", "days": "30"} | other


def call(secret: str, path: str = "/api/v1/systems/payments/") -> int:
    headers = {"Authorization": f"Token {secret}"}
    return int(Client().get(path, headers=headers).status_code)


def test_the_token_is_shown_once_with_a_request_that_works(
    browser: Client, system: System
) -> None:
    answer = browser.post(PAGE, fields())
    assert answer.status_code == 201
    found = SECRET.search(answer.content.decode())
    assert found
    assert "/api/v1/systems/" in answer.content.decode()
    assert call(found[1]) == 200
    page = browser.get(PAGE).content.decode()
    assert "backups at night" in page
    assert found[1] not in page
    assert AuditEvent.objects.filter(verb="token.made").count() == 1


def test_the_same_form_sent_twice_makes_one(browser: Client) -> None:
    """RE-03: the second time leads to the list, without the secret."""
    page = browser.get(PAGE).content.decode()
    token = re.search(r'name="form_token" value="([0-9a-f]+)"', page)
    assert token
    body = fields(form_token=token[1])
    assert browser.post(PAGE, body).status_code == 201
    again = browser.post(PAGE, body)
    assert (again.status_code, again["Location"]) == (302, PAGE)
    assert AuthToken.objects.count() == 1


def test_when_it_was_used_stands_in_the_list(browser: Client, system: System) -> None:
    found = SECRET.search(browser.post(PAGE, fields()).content.decode())
    assert found
    assert "never" in browser.get(PAGE).content.decode()
    call(found[1])
    assert "never" not in browser.get(PAGE).content.decode()
    first = TokenScope.objects.get().last_used_at
    call(found[1])
    assert TokenScope.objects.get().last_used_at == first


def test_revoked_it_opens_nothing(browser: Client, system: System) -> None:
    found = SECRET.search(browser.post(PAGE, fields()).content.decode())
    assert found
    kept = TokenScope.objects.get()
    assert browser.post(f"{PAGE}{kept.uuid}/revoke/").status_code == 302
    assert call(found[1]) == 401
    assert not TokenScope.objects.exists()
    assert browser.post(f"{PAGE}{kept.uuid}/revoke/").status_code == 404
    assert AuditEvent.objects.filter(verb="token.revoked").count() == 1


def test_nobody_sees_or_revokes_the_token_of_another(
    browser: Client, rita: User
) -> None:
    browser.post(PAGE, fields())
    kept = TokenScope.objects.get()
    other = sign_in_just_now(Client(), rita)
    assert "backups at night" not in other.get(PAGE).content.decode()
    assert other.post(f"{PAGE}{kept.uuid}/revoke/").status_code == 404
    assert TokenScope.objects.filter(pk=kept.pk).exists()


def test_what_cannot_be_is_said_at_its_field(browser: Client) -> None:
    answer = browser.post(PAGE, fields(name="", scope="all", days="400"))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is a problem" in page
    assert not TokenScope.objects.exists()


def test_who_signed_in_long_ago_proves_who_they_are_first(oscar: User) -> None:
    """AZ-12."""
    client = Client()
    client.force_login(oscar, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(PAGE, fields())
    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not TokenScope.objects.exists()
