"""Roles of the installation are given and ended by whoever may, and recorded."""

from __future__ import annotations

import datetime as dt
import importlib

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from controls import clock
from controls.errors import NotPermitted, Refused, StaleVersion, TransitionNotAllowed
from controls.installation_roles import end_role, give_role, officer_needed
from controls.models import (
    AuditEvent,
    InstallationRole,
    Membership,
    Role,
    System,
    User,
)
from tests import factories

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
ADD = "admin:controls_installationrole_add"
LIST = "admin:controls_installationrole_changelist"


@pytest.fixture
def ines(db) -> User:
    """Officer of the installation, with a way into the admin."""
    user = factories.make_user("ines", is_staff=True)
    factories.give_installation_roles(user, "officer")
    return user


def rows_and_events() -> tuple[int, int]:
    events = AuditEvent.objects.filter(verb__startswith="installation-role.")
    return InstallationRole.objects.count(), events.count()


def form(user: User, role: str = "registrar", **fields: str) -> dict[str, object]:
    """What the page to add a role sends."""
    now = clock.now()
    day, time = f"{now:%Y-%m-%d}", f"{now:%H:%M:%S}"
    start = {"starts_at_0": day, "starts_at_1": time}
    end = {"ends_at_0": "", "ends_at_1": ""}
    return {"user": user.pk, "role": role} | start | end | fields


# --- giving


def test_an_officer_gives_a_role_and_one_event_says_so(ines, mallory, as_user):
    """AU-01: the row and its event, in one transaction."""
    before = rows_and_events()
    answer = as_user(ines).post(reverse(ADD), form(mallory))
    assert answer.status_code == 302, answer.context["errors"]
    given = mallory.installation_roles.get()
    assert (given.role, given.given_by, given.ends_at) == ("registrar", ines, None)
    assert rows_and_events() == (before[0] + 1, before[1] + 1)
    event = AuditEvent.objects.get(subject_uuid=given.uuid)
    assert (event.verb, event.actor) == ("installation-role.given", ines)
    assert event.chain == "instance"


def test_nobody_gives_a_role_to_themselves(ines, as_user):
    """AC-07: not on the page, not by the verb, not by SQL."""
    before = rows_and_events()
    answer = as_user(ines).post(reverse(ADD), form(ines))
    assert answer.status_code == 200  # not among the choices
    with pytest.raises(NotPermitted, match="to themselves"):
        give_role(ines, "registrar", by=ines)
    with pytest.raises(IntegrityError, match="given_by_another"), transaction.atomic():
        InstallationRole.objects.create(user=ines, role="registrar", given_by=ines)
    assert rows_and_events() == before


def test_a_superuser_gives_no_role_to_themselves_either(db):
    """AC-07."""
    root = factories.administrator()
    with pytest.raises(NotPermitted, match="to themselves"):
        give_role(root, "officer", by=root)


@pytest.mark.parametrize(
    "name", ["oscar", "alice", "rita", "audrey", "registrar", "former", "mallory"]
)
def test_others_give_and_end_nothing(name, system, request, ines, as_user):
    """AC-01, AC-08: every role but an officer's of the installation is refused."""
    if name in {"registrar", "former"}:
        user = factories.make_user(name)
        ended = clock.now() - dt.timedelta(seconds=1)
        fields = {"role": "registrar"} if name == "registrar" else {"role": "officer"}
        factories.give_installation_roles(
            user, fields["role"], ends_at=ended if name == "former" else None
        )
    else:
        user = request.getfixturevalue(name)
        user.installation_roles.all().delete()  # oscar: an officer of his system only
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    other, given = factories.make_user("other"), ines.installation_roles.get()
    before = rows_and_events()
    browser = as_user(user)
    change = reverse("admin:controls_installationrole_change", args=[given.pk])
    assert browser.get(reverse(LIST)).status_code == 403
    assert browser.get(change).status_code == 403
    assert browser.post(reverse(ADD), form(other)).status_code == 403
    assert browser.post(change, {"ends_at_0": "2030-01-01"}).status_code == 403
    with pytest.raises(NotPermitted):
        give_role(other, "registrar", by=user)
    with pytest.raises(NotPermitted):
        end_role(given, by=user)
    assert rows_and_events() == before


def test_a_closed_account_is_given_nothing(ines, mallory):
    mallory.is_active = False
    mallory.save(update_fields=["is_active"])
    with pytest.raises(Refused, match="closed"):
        give_role(mallory, "registrar", by=ines)


def test_one_role_is_held_once_at_a_time(ines, mallory):
    give_role(mallory, "registrar", by=ines)
    with pytest.raises(ValidationError, match="holds that role at that time"):
        give_role(mallory, "registrar", by=ines)
    with pytest.raises(IntegrityError, match="once_at_a_time"), transaction.atomic():
        InstallationRole.objects.create(user=mallory, role="registrar")
    give_role(mallory, "officer", by=ines)


# --- ending


def test_a_role_is_ended_with_its_event_and_its_history(ines, mallory, as_user):
    """AU-01, AU-07: an end is set, nothing is deleted, what was so before stays."""
    given = give_role(mallory, "registrar", by=ines)
    change = reverse("admin:controls_installationrole_change", args=[given.pk])
    end = {"ends_at_0": "2099-01-01", "ends_at_1": "00:00:00", "seen_version": 1}
    assert as_user(ines).post(change, end).status_code == 302
    given.refresh_from_db()
    assert (given.ends_at.year, given.version) == (2099, 2)
    verbs = AuditEvent.objects.filter(subject_uuid=given.uuid).order_by("seq")
    assert [event.verb for event in verbs] == [
        "installation-role.given",
        "installation-role.ended",
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ends_at FROM controls_installationrole_history WHERE id = %s",
            [given.pk],
        )
        assert cursor.fetchall() == [(None,)]
    delete = reverse("admin:controls_installationrole_delete", args=[given.pk])
    assert as_user(factories.administrator()).post(delete).status_code == 403


def test_an_end_works_back_before_no_instant(ines, mallory):
    given = give_role(mallory, "registrar", by=ines)
    with pytest.raises(Refused, match="never before"):
        end_role(given, by=ines, at=clock.now() - DAY)
    end_role(given, by=ines)
    with pytest.raises(TransitionNotAllowed):
        end_role(given, by=ines)


def test_an_end_from_an_old_page_is_refused(ines, mallory):
    given = give_role(mallory, "registrar", by=ines)
    end_role(given, by=ines, at=clock.now() + DAY)
    with pytest.raises(StaleVersion):
        end_role(given, by=ines, version=1)


def test_the_installation_keeps_an_officer(ines, mallory):
    alone = ines.installation_roles.get()
    with pytest.raises(Refused, match="at least one officer"):
        end_role(alone, by=factories.administrator())
    second = give_role(mallory, "officer", by=ines)
    end_role(second, by=ines, at=clock.now() + DAY)
    with pytest.raises(Refused, match="at least one officer"):
        end_role(alone, by=ines, at=clock.now() + 2 * DAY)
    end_role(alone, by=ines)
    assert not alone.user.installation_roles.active().exists()


# --- the first officer


def create_officer(*arguments: str, capsys, code: int = 0) -> str:
    """What the command says; fails unless it exits with `code`."""
    if code:
        with pytest.raises(SystemExit) as stop:
            call_command("create_officer", *arguments)
        assert stop.value.code == code
    else:
        call_command("create_officer", *arguments)
    said = capsys.readouterr()
    return said.out + said.err


def test_the_command_makes_the_first_officer(db, capsys, monkeypatch, client):
    monkeypatch.setenv("SRM_OFFICER_PASSWORD", factories.PASSWORD)
    said = create_officer(
        "ann@example.com", "--name", "Ann", "--no-input", capsys=capsys
    )
    assert said.strip() == "ann@example.com is officer of the installation now."
    ann = User.objects.get(email="ann@example.com")
    assert (ann.name, ann.is_staff, ann.is_superuser) == ("Ann", True, False)
    assert ann.check_password(factories.PASSWORD)
    given = ann.installation_roles.get()
    assert (given.role, given.given_by) == ("officer", None)
    event = AuditEvent.objects.get(subject_uuid=given.uuid)
    assert (event.verb, event.actor) == ("installation-role.given", None)


def test_the_first_officer_may_keep_reports_too(db, capsys):
    create_officer("ann@example.com", "--registrar", "--no-input", capsys=capsys)
    ann = User.objects.get(email="ann@example.com")
    roles = ann.installation_roles.values_list("role", flat=True)
    assert set(roles) == {"officer", "registrar"}
    assert not ann.has_usable_password()


def test_a_second_officer_is_made_on_demand_only(ines, mallory, capsys):
    before = rows_and_events()
    said = create_officer("mallory@example.com", "--no-input", capsys=capsys, code=1)
    assert "has an officer already (ines@example.com)" in said
    assert "--another" in said
    assert rows_and_events() == before
    password = mallory.password
    create_officer("mallory@example.com", "--another", capsys=capsys)
    mallory.refresh_from_db()
    assert mallory.installation_roles.get().role == "officer"
    assert (mallory.is_staff, mallory.password) == (True, password)


@pytest.mark.parametrize(
    ("arguments", "password", "sentence"),
    [
        ((), "", "Say the e-mail address"),
        (("nobody",), "", "is not an e-mail address"),
        (("ann@example.com", "--no-input"), "short", "too short"),
    ],
)
def test_wrong_use_makes_nobody(db, arguments, password, sentence, capsys, monkeypatch):
    monkeypatch.setenv("SRM_OFFICER_PASSWORD", password)
    assert sentence in create_officer(*arguments, capsys=capsys, code=2)
    assert not User.objects.filter(email="ann@example.com").exists()
    assert not InstallationRole.objects.exists()


def test_a_password_is_asked_for(db, capsys, monkeypatch):
    module = "controls.management.commands.create_officer"
    answers = iter(["one thing typed", "and another", *[factories.PASSWORD] * 2])
    monkeypatch.setattr(f"{module}.getpass.getpass", lambda prompt: next(answers))
    monkeypatch.setattr(f"{module}.sys.stdin.isatty", lambda: True, raising=False)
    said = create_officer("ann@example.com", capsys=capsys)
    assert "not the same" in said
    ann = User.objects.get(email="ann@example.com")
    assert ann.check_password(factories.PASSWORD)


def test_an_empty_installation_says_how_to_begin(db, client, capsys):
    sign_in = reverse("account_login")
    assert officer_needed()
    assert "manage.py create_officer EMAIL" in client.get(sign_in).content.decode()
    assert "create_officer EMAIL" in create_officer("--check", capsys=capsys)
    create_officer("ann@example.com", "--no-input", capsys=capsys)
    assert "create_officer" not in client.get(sign_in).content.decode()
    assert create_officer("--check", capsys=capsys) == ""


# --- the upgrade


def test_the_upgrade_takes_no_right_away(system, oscar, olga, rita):
    """Whoever described systems and kept reports before still does."""
    now = clock.now()
    InstallationRole.objects.all().delete()
    leaving, gone = factories.make_user("leaving"), factories.make_user("gone")
    factories.give_role(leaving, system, Role.OFFICER, ends_at=now + 9 * DAY)
    factories.give_role(gone, system, Role.OFFICER, ends_at=now - dt.timedelta(hours=1))
    Membership.objects.filter(user=olga).update(ends_at=now + DAY)
    other = factories.make_system(factories.make_user("o"), slug="other")
    InstallationRole.objects.all().delete()
    factories.give_role(olga, other, Role.OFFICER)
    migration = importlib.import_module(
        "controls.migrations.0015_officers_keep_their_rights"
    )
    migration.keep_rights(apps, None)
    held = {
        (row.user.email.partition("@")[0], row.role): row.ends_at
        for row in InstallationRole.objects.select_related("user")
    }
    assert {name for name, _ in held} == {"oscar", "olga", "leaving", "o"}
    assert {role for _, role in held} == {"officer", "registrar"}
    assert len(held) == 8
    assert held["leaving", "officer"] == now + 9 * DAY
    assert held["olga", "registrar"] is None
    assert System.objects.count() == 2
