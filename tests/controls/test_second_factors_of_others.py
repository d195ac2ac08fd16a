"""An operator takes away a lost second factor and sees no secret (AU-12)."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.urls import reverse

from controls.models import AuditEvent, User

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def root(as_user):
    """The browser of a superuser."""
    return as_user(User.objects.create_superuser("root@example.com", name="Root"))


@pytest.fixture
def factor(alice) -> Authenticator:
    """What alice's telephone holds."""
    return TOTP.activate(alice, SECRET).instance


def url(page: str, *args: object) -> str:
    return reverse(f"admin:mfa_authenticator_{page}", args=args)


def test_no_page_of_the_admin_shows_the_secret(root, factor) -> None:
    for page in (url("changelist"), url("change", factor.pk)):
        answer = root.get(page)
        assert answer.status_code == 200
        assert SECRET not in answer.content.decode()
        assert "Alice" in answer.content.decode()


def test_a_lost_one_is_removed_on_the_record(root, factor, alice) -> None:
    answer = root.post(url("delete", factor.pk), {"post": "yes"})
    assert answer.status_code == 302
    assert not Authenticator.objects.filter(user=alice).exists()
    event = AuditEvent.objects.get(verb="second-factor.removed")
    assert event.subject_uuid == alice.uuid


def test_nobody_makes_or_changes_one_for_others(root, factor) -> None:
    assert root.get(url("add")).status_code == 403
    answer = root.post(url("change", factor.pk), {"type": "webauthn"})
    assert answer.status_code == 403


def test_only_superusers_see_them(as_user, oscar, system, factor) -> None:
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    assert as_user(oscar).get(url("changelist")).status_code == 403


def test_tokens_sessions_and_groups_have_no_admin_without_a_record() -> None:
    """AU-01: whatever an admin changes leaves an event; only admins of ours do that."""
    for model, of_model in admin.site._registry.items():
        where = type(of_model).__module__
        assert where.startswith(("controls.", "evidence.")), model._meta.label
