"""AZ-12: far-reaching acts ask for the password or the second factor again.

Roles, accounts, second factors of others, tokens and exports; on pages, in the admin
and over the API. Somebody who has neither password nor factor is refused, not passed.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from controls import clock
from controls.models import (
    InstallationRole,
    InstallationRoleName,
    Membership,
    Role,
    System,
    User,
)
from evidence.models import Export
from tests.api.test_tokens import make
from tests.factories import PASSWORD, administrator
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LONG = dt.timedelta(minutes=20)
PROVE = reverse("account_reauthenticate")


@pytest.fixture
def root(settings: Any) -> User:
    settings.MFA_REQUIRED = False
    user: User = administrator()
    user.set_password(PASSWORD)
    user.save()
    return user


def signed_in_a_while_ago(user: User) -> Client:
    """A browser whose person typed the password twenty minutes ago."""
    client = Client()
    with time_machine.travel(clock.now() - LONG):
        form = {"login": user.email, "password": PASSWORD}
        assert client.post(reverse("account_login"), form).status_code == 302
    return client


def is_asked(answer: Any) -> bool:
    return answer.status_code == 302 and answer.url.startswith(PROVE)


def membership_form(system: System, user: User) -> dict[str, Any]:
    return {
        "user": user.pk,
        "system": system.pk,
        "role": Role.OFFICER,
        "starts_at_0": str(TODAY),
        "starts_at_1": "08:00",
    }


def test_az_12_a_role_is_given_once_the_password_was_typed_again(
    root: User, system: System, mallory: User
) -> None:
    """What was filled in is not lost on the way."""
    client = signed_in_a_while_ago(root)
    page = reverse("admin:controls_membership_add")
    form = membership_form(system, mallory)
    answer = client.post(page, form)
    assert is_asked(answer)
    assert not Membership.objects.filter(user=mallory).exists()
    wrong = client.post(answer.url, {"password": "not this", "next": page})
    assert wrong.status_code == 200
    assert not Membership.objects.filter(user=mallory).exists()
    client.post(answer.url, {"password": PASSWORD, "next": page})
    assert Membership.objects.get(user=mallory).role == Role.OFFICER


def test_az_12_a_sign_in_counts_for_as_long_as_the_setting_says(
    root: User, system: System, mallory: User, settings: Any
) -> None:
    settings.PROVE_AGAIN_AFTER_MINUTES = 30
    page = reverse("admin:controls_membership_add")
    answer = signed_in_a_while_ago(root).post(page, membership_form(system, mallory))
    assert not is_asked(answer)
    assert Membership.objects.filter(user=mallory).exists()


def test_az_12_the_end_of_a_role_too(root: User, system: System, alice: User) -> None:
    membership = Membership.objects.get(user=alice)
    page = reverse("admin:controls_membership_change", args=[membership.pk])
    form = {"ends_at_0": "2026-12-01", "ends_at_1": "00:00"}
    client = signed_in_a_while_ago(root)
    assert client.get(page).status_code == 200
    assert is_asked(client.post(page, form))
    membership.refresh_from_db()
    assert membership.ends_at is None


def test_az_12_roles_of_the_installation_ask(root: User, mallory: User) -> None:
    form = {
        "user": mallory.pk,
        "role": InstallationRoleName.OFFICER,
        "starts_at_0": str(TODAY),
        "starts_at_1": "10:00",
    }
    page = reverse("admin:controls_installationrole_add")
    assert is_asked(signed_in_a_while_ago(root).post(page, form))
    assert not InstallationRole.objects.filter(user=mallory).exists()


def test_az_12_becoming_superuser_asks(root: User, mallory: User) -> None:
    page = reverse("admin:controls_user_change", args=[mallory.pk])
    form = {"email": mallory.email, "is_active": "on", "is_superuser": "on"}
    client = signed_in_a_while_ago(root)
    answer = client.post(page, form)
    assert is_asked(answer)
    assert not User.objects.get(pk=mallory.pk).is_superuser
    client.post(answer.url, {"password": PASSWORD, "next": page})
    assert User.objects.get(pk=mallory.pk).is_superuser


@pytest.mark.parametrize("name", ["controls_user_add", "auth_user_password_change"])
def test_az_12_no_session_keeps_a_password_that_was_typed_for_another(
    root: User, mallory: User, name: str
) -> None:
    """Asked before the form is shown; a form sent too late is filled in again."""
    args = [mallory.pk] if "change" in name else []
    page = reverse(f"admin:{name}", args=args)
    client = signed_in_a_while_ago(root)
    assert is_asked(client.get(page))
    secret = "of the other person"
    form = {"email": "new@example.com", "password1": secret, "password2": secret}
    answer = client.post(page, form | {"usable_password": "true"})
    assert is_asked(answer)
    for session in Session.objects.all():
        assert secret not in json.dumps(session.get_decoded())
    client.post(answer.url, {"password": PASSWORD, "next": page})
    assert not User.objects.filter(email="new@example.com").exists()
    assert User.objects.get(pk=mallory.pk).check_password(PASSWORD)


def test_az_12_another_persons_second_factor_is_taken_away_after_a_code(
    root: User, mallory: User
) -> None:
    """Who has a second factor may type its code instead of the password."""
    factor = TOTP.activate(mallory, SECRET).instance
    client = signed_in_a_while_ago(root)
    TOTP.activate(root, SECRET)
    page = reverse("admin:mfa_authenticator_delete", args=[factor.pk])
    assert is_asked(client.post(page, {"post": "yes"}))
    assert Authenticator.objects.filter(pk=factor.pk).exists()
    code = hotp_value(SECRET, next(yield_hotp_counters_from_time()))
    form = {"code": f"{code:06}", "next": page}
    client.post(reverse("mfa_reauthenticate"), form)
    assert not Authenticator.objects.filter(pk=factor.pk).exists()


def test_az_12_a_token_is_made_after_proof_only(system: System, oscar: User) -> None:
    client = signed_in_a_while_ago(oscar)
    body, kind = {"name": "ci"}, "application/json"
    answer = client.post("/api/v1/tokens/", body, content_type=kind)
    assert answer.status_code == 403
    assert PROVE in answer.json()["detail"]
    assert not AuthToken.objects.exists()
    client.post(PROVE, {"password": PASSWORD})
    answer = client.post("/api/v1/tokens/", body, content_type=kind)
    assert answer.status_code == 201


def test_az_12_an_export_asks_on_its_page_and_over_the_api(
    settings: Any, system: System, oscar: User
) -> None:
    settings.MFA_REQUIRED = False
    client = signed_in_a_while_ago(oscar)
    page = reverse("evidence:export_request")
    form = {"system": system.slug, "on": str(TODAY)}
    answer = client.post(page, form)
    assert is_asked(answer)
    sent = client.post(reverse("export-list"), form, content_type="application/json")
    assert sent.status_code == 403
    assert not Export.objects.exists()
    done = client.post(answer.url, {"password": PASSWORD, "next": page})
    assert (done.status_code, done.url) == (302, reverse("evidence:exports"))
    assert Export.objects.count() == 1


def test_a_token_that_was_made_after_proof_exports(system: System, oscar: User) -> None:
    token = make(oscar, scope="export")["token"]
    answer = Client().post(
        reverse("export-list"),
        {"system": system.slug},
        content_type="application/json",
        headers={"Authorization": f"Token {token}"},
    )
    assert answer.status_code == 202


def test_az_12_somebody_without_password_and_factor_is_refused(
    settings: Any, system: System, oscar: User, mallory: User
) -> None:
    """allauth lets them pass: there is nothing that it could ask for."""
    settings.MFA_REQUIRED = False
    User.objects.filter(pk=oscar.pk).update(is_staff=True)
    oscar.refresh_from_db()
    oscar.set_unusable_password()
    oscar.save()
    client = Client(raise_request_exception=False)
    client.force_login(oscar, backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("admin:controls_membership_add")
    answer = client.post(page, membership_form(system, mallory))
    assert answer.status_code == 403
    assert "neither" in answer.content.decode()
    body = {"name": "ci"}
    made = client.post("/api/v1/tokens/", body, content_type="application/json")
    assert made.status_code == 403
    assert not Membership.objects.filter(user=mallory).exists()
    assert not AuthToken.objects.exists()
