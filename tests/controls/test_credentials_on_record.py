"""Passwords, second factors and tokens: on record, and no way around each other."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from controls.models import AuditEvent, System, User
from tests.api.test_tokens import call, make
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "another long battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def signed_in(user: User) -> Client:
    """A browser in which the person typed address and password just now."""
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


def recorded(verb: str) -> int:
    return AuditEvent.objects.filter(verb=verb).count()


def change_password(client: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post(reverse("account_change_password"), form).status_code == 302


def test_au_01_a_changed_password_is_recorded_and_ends_tokens(
    settings, system: System, oscar: User
) -> None:
    """AU-01 and AC-09: whoever had the old password keeps no way in."""
    settings.MFA_REQUIRED = False
    token = make(oscar)["token"]
    assert call(token) == 200
    change_password(signed_in(oscar))
    assert call(token) == 401
    assert recorded("password.changed") == recorded("token.revoked") == 1


def test_a_password_that_an_administrator_sets_ends_tokens(
    as_user, system: System, oscar: User
) -> None:
    token = make(oscar)["token"]
    root = as_user(User.objects.create_superuser("root@example.com", name="Root"))
    url = reverse("admin:auth_user_password_change", args=[oscar.pk])
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert root.post(url, form).status_code == 302
    assert call(token) == 401
    assert recorded("user.password-set") == recorded("token.revoked") == 1
    assert not AuthToken.objects.exists()


def test_au_01_a_wrong_code_and_a_used_recovery_code_are_recorded(
    alice: User,
) -> None:
    TOTP.activate(alice, SECRET)
    codes = RecoveryCodes.activate(alice)
    client = signed_in(alice)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert recorded("second-factor.refused") == 1
    assert recorded("session.started") == 0
    client.post(reverse("mfa_authenticate"), {"code": codes.get_unused_codes()[0]})
    assert recorded("recovery-codes.used") == recorded("session.started") == 1


def test_au_01_taking_ones_second_factor_away_is_recorded(
    settings, alice: User
) -> None:
    settings.MFA_REQUIRED = False
    factor = TOTP.activate(alice, SECRET).instance
    client = Client()
    client.force_login(alice)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert not Authenticator.objects.filter(pk=factor.pk).exists()
    assert recorded("second-factor.removed") == 1


def test_az_07_a_token_works_only_with_its_owners_second_factor(
    settings, system: System, oscar: User
) -> None:
    settings.MFA_REQUIRED = False
    token = make(oscar)["token"]
    settings.MFA_REQUIRED = True
    assert call(token) == 401
    TOTP.activate(oscar, SECRET)
    assert call(token) == 200


@pytest.mark.parametrize(
    "page", ["account_change_password", "account_email", "usersessions_list"]
)
def test_az_02_no_page_of_the_account_works_before_the_second_factor(
    settings, alice: User, page: str
) -> None:
    settings.MFA_REQUIRED = True
    client = signed_in(alice)
    answer = client.get(reverse(page))
    assert (answer.status_code, answer.url) == (302, reverse("mfa_index"))
    assert client.get(reverse("mfa_index")).status_code == 200


def test_ac_01_the_schema_needs_a_sign_in(client: Client, as_user, alice: User) -> None:
    for page in ("schema", "api_docs"):
        assert client.get(reverse(page)).status_code == 401
    browser = as_user(alice)
    for page in ("schema", "api_docs"):
        assert browser.get(reverse(page)).status_code == 200
