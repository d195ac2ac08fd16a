"""AZ-07: tokens are hashed, scoped, shown once, revocable and die with their owner."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from knox.models import AuthToken

from controls.models import AuditEvent, System, User
from evidence.models import Export
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
SYSTEM = "/api/v1/systems/payments/"


def make(user: User, **said: Any) -> dict[str, Any]:
    client = sign_in_just_now(Client(), user)
    answer = client.post(
        "/api/v1/tokens/", {"name": "ci", **said}, content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def call(token: str, method: str = "get", path: str = SYSTEM) -> int:
    headers = {"Authorization": f"Token {token}"}
    return int(getattr(Client(), method)(path, headers=headers).status_code)


def test_az_07_the_database_holds_no_usable_token(system: System, oscar: User) -> None:
    made = make(oscar)
    stored = AuthToken.objects.get()
    assert made["token"] not in {stored.digest, stored.token_key}
    assert call(made["token"]) == 200
    assert AuditEvent.objects.filter(verb="token.made").count() == 1


def test_a_reading_token_only_reads(system: System, oscar: User) -> None:
    reads, writes = make(oscar)["token"], make(oscar, scope="write")["token"]
    assert call(reads, "patch") == 403
    assert call(writes, "patch") == 428


def test_a_token_sees_no_more_than_its_owner(system: System, mallory: User) -> None:
    assert call(make(mallory)["token"]) == 404


def test_revoked_and_disabled_end_at_once(system: System, oscar: User) -> None:
    """AC-09."""
    first, second = make(oscar), make(oscar)
    client = Client()
    client.force_login(oscar, backend="django.contrib.auth.backends.ModelBackend")
    assert client.delete(f"/api/v1/tokens/{first['uuid']}/").status_code == 204
    assert call(first["token"]) == 401
    User.objects.filter(pk=oscar.pk).update(is_active=False)
    assert call(second["token"]) == 401


def test_a_token_makes_no_token(system: System, oscar: User) -> None:
    token = make(oscar, scope="write")["token"]
    assert call(token, "post", "/api/v1/tokens/") in {401, 403}


def ask_for_export(token: str, key: str, **headers: str) -> int:
    """The status of an export of a system asked for with a token."""
    sent = {"Authorization": f"Token {token}", "Idempotency-Key": key}
    body = {"system": "payments"}
    answer = Client().post(
        "/api/v1/exports/", body, "application/json", headers=sent | headers
    )
    return int(answer.status_code)


def test_a_token_asks_for_exports_only_where_it_was_made_for_them(
    system: System, oscar: User
) -> None:
    """AZ-07, AZ-12: a session proves anew who asks; a token was given that with its
    scope, by somebody who had just proved it, and then changes nothing else."""
    tokens = {
        scope: make(oscar, scope=scope)["token"]
        for scope in ("read", "write", "export")
    }
    asked = {scope: ask_for_export(token, scope) for scope, token in tokens.items()}
    assert asked == {"read": 403, "write": 403, "export": 202}
    export = Export.objects.get()
    path = f"/api/v1/exports/{export.uuid}/"
    deleted = {scope: call(tokens[scope], "delete", path) for scope in tokens}
    assert (deleted["read"], deleted["write"]) == (403, 403)
    assert deleted["export"] == 204, "it is not finished, and stopped"
    assert {call(token, "get", path) for token in tokens.values()} == {200}
    assert call(tokens["export"], "patch") == 403


def test_it_is_told_which_token_it_takes(system: System, oscar: User) -> None:
    secret = make(oscar, scope="write")["token"]
    answer = Client().post(
        "/api/v1/exports/",
        {"system": "payments"},
        "application/json",
        headers={"Authorization": f"Token {secret}"},
    )
    assert "Use one for “Read and export” here." in answer.json()["detail"]
    refusal = AuditEvent.objects.get(verb="access.refused")
    assert "write" in refusal.body
