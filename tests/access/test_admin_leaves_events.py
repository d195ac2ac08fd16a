"""AU-01: whatever is done in the admin leaves the events that `admin_events.txt` says.

Every form and every act of every list that an administrator may use is tried: one that
writes rows and leaves no event, or other events than the table says, fails here; so
does one that the table does not know.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from controls.admin.scoped import ScopedAdmin
from controls.models import AuditEvent, Control, ServiceVariant, User
from controls.models.catalog import Origin
from tests import factories
from tests.access import world as worlds
from tests.access.test_every_change_leaves_an_event import NO_STATE, written
from tests.access.test_reading_writes_nothing import contents
from tests.access.walking import Undo
from tests.access.world import World
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

TABLE = Path(__file__).with_name("admin_events.txt")
PAGE = "to a page"
FAR = str(TODAY + dt.timedelta(days=40))


@dataclass(frozen=True)
class Act:
    """One thing to do in the admin: how the table calls it, and what is sent where."""

    name: str
    path: str
    body: dict[str, Any]


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    """One object of every kind, a second factor, an identity, and rows of one's own."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = worlds.build()
    alice = built.house.alice
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "x"})
    SocialAccount.objects.create(user=alice, provider="https://id.test", uid="a")
    return built


@pytest.fixture
def root(world: World) -> User:
    return factories.administrator()


@pytest.fixture
def browser(root: User) -> Client:
    """An administrator's, with local readings made on their forms."""
    client = sign_in_just_now(Client(), root)
    for model, body in added(root).items():
        if model in {"controls.controllayer", "controls.servicelayer"}:
            own = body | {"layer": "network"}
            assert client.post(address(model, "add"), own).status_code == 302, model
    return client


def address(model: str, page: str, *args: object) -> str:
    return reverse(f"admin:{model.replace('.', '_')}_{page}", args=args)


def added(root: User) -> dict[str, dict[str, Any]]:
    """What makes a row of each model that the admin lets be added."""
    nora = User.objects.get(email="nora@example.test")
    ray = User.objects.get(email="ray@example.test")
    system = ray.memberships.get().system
    at = {"starts_at_0": str(TODAY), "starts_at_1": "08:00:00"}
    variant = ServiceVariant.objects.filter(service__slug="rds").first()
    pe_3 = Control.objects.get(ref_id="pe-3")
    layers = {"layer": "application", "reason": "Ours.", "control": pe_3.pk}
    return {
        "controls.user": {"email": "new@example.test", "usable_password": "false"},
        "controls.team": {"name": "Web", "slug": "web"},
        "controls.membership": at
        | {"user": nora.pk, "system": system.pk, "role": "reader"},
        "controls.engagement": {
            "system": system.pk, "title": "ISO", "kind": "iso", "firm": "Firm",
            "window_start": str(TODAY), "window_end": FAR,
        },
        "controls.installationrole": at | {"user": ray.pk, "role": "registrar"},
        "controls.controllayer": layers,
        "controls.servicelayer": {
            "variant": variant.pk, "layer": "application", "party": "customer",
            "kind": "provided", "source": "Us",
        },
        "controls.systemcomponent": {
            "system": system.pk, "variant": variant.pk, "name": "Orders",
            "regions": "us-east-1", "used_from": str(TODAY),
        },
    }  # fmt: skip


# What is typed into the form of a row that is there.
CHANGED: dict[str, dict[str, Any]] = {
    "controls.user": {"name": "Renamed"},
    "controls.team": {"name": "Renamed"},
    "controls.membership": {"ends_at_0": FAR, "ends_at_1": "08:00:00"},
    "controls.engagement": {"firm": "Other"},
    "controls.installationrole": {"ends_at_0": FAR, "ends_at_1": "08:00:00"},
    "controls.controllayer": {"reason": "Still ours."},
    "controls.servicelayer": {"source": "Still us"},
    "controls.system": {"name": "Renamed"},
    "controls.systemcomponent": {"used_until": FAR},
    "controls.controlimplementation": {"customer_statement": "Anew."},
    "evidence.requirementcontrol": {"guidance": "Anew."},
}


def filled(client: Client, path: str) -> dict[str, Any]:
    """What a form would send if nothing were typed into it."""
    form = client.get(path).context["adminform"].form
    body: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if isinstance(value, dt.datetime):
            moment = value.astimezone(dt.UTC)
            body[f"{field.name}_0"] = f"{moment:%Y-%m-%d}"
            body[f"{field.name}_1"] = f"{moment:%H:%M:%S}"
        elif isinstance(value, bool):
            body |= {field.name: "on"} if value else {}
        elif value is not None:
            body[field.name] = value
    return body


def acts(client: Client, root: User) -> Iterator[Act]:
    """Everything that an administrator may do in the admin of ours."""
    request = RequestFactory().get("/")
    request.user = root
    rows_added = added(root)
    for model, site in admin.site._registry.items():
        label = model._meta.label_lower
        assert isinstance(site, ScopedAdmin), label
        if site.has_add_permission(request):
            yield Act(f"ADD {label}", address(label, "add"), rows_added[label])
        rows = site.get_queryset(request).order_by("-pk")
        if hasattr(model, "origin") and site.has_add_permission(request):
            rows = rows.filter(origin=Origin.LOCAL)
        if label == "controls.membership":
            rows = rows.filter(ends_at=None, role="reader")
        row = rows.first()
        if row is not None and site.has_change_permission(request, row):
            path = address(label, "change", row.pk)
            body = filled(client, path) | CHANGED[label]
            yield Act(f"CHANGE {label}", path, body)
        if row is not None and site.has_delete_permission(request, row):
            path = address(label, "delete", row.pk)
            yield Act(f"DELETE {label}", path, {"post": "yes"})
        for action in site.get_actions(request):
            body = {"action": action, "_selected_action": [row.pk] if row else []}
            yield Act(f"ACT {label} {action}", address(label, "changelist"), body)
    password = {"password1": "a long enough one 9", "password2": "a long enough one 9"}
    alice = User.objects.get(email="alice@example.test")
    path = reverse("admin:auth_user_password_change", args=[alice.pk])
    yield Act(
        "POST controls.user password", path, password | {"usable_password": "true"}
    )


def what_it_left(client: Client, act: Act) -> tuple[str, set[str]]:
    """The verbs of its events, where it led without any, and tables that say otherwise
    although there is none."""
    before, last = written(), AuditEvent.objects.latest("pk").pk
    try:
        with transaction.atomic():
            answer = client.post(act.path, act.body)
            assert answer.status_code == 302, (act, answer.content.decode()[-3000:])
            events = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
            verbs = " ".join(dict.fromkeys(events.values_list("verb", flat=True)))
            touched = set(written() - before) - NO_STATE
            after = {} if verbs else contents(touched)
            raise Undo
    except Undo:
        was = contents(after)
        silent = {table for table in after if after[table] != was[table]}
    led = PAGE if "/many/" in answer["Location"] else "nothing"
    return verbs or led, silent


def test_every_act_in_the_admin_leaves_the_events_that_the_table_says(
    browser: Client, root: User
) -> None:
    left, silent = [], {}
    for act in acts(browser, root):
        verbs, changed = what_it_left(browser, act)
        left.append(f"{act.name}: {verbs}")
        if changed:
            silent[act.name] = changed
    assert silent == {}, "These change rows and leave no event."
    table = TABLE.read_text(encoding="utf-8").splitlines()
    assert sorted(left) == [line for line in table if line and line[0] != "#"]
