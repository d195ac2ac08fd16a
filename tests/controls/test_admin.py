"""Operators see their scope in the admin, edit little, and leave a record of it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.admin.scoped import ReadOnlyAdmin, ScopedAdmin
from controls.models import (
    AuditEvent,
    ControlImplementation,
    Membership,
    Role,
    System,
    SystemComponent,
    Team,
    User,
)
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
OURS = [
    m for m in admin.site._registry if m._meta.app_label in {"controls", "evidence"}
]


@pytest.fixture
def house(settings, tmp_path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def root(house, client: Client) -> Client:
    """The browser of a superuser."""
    boss = User.objects.create_superuser("root@example.test", name="Root")
    sign_in_just_now(client, boss)
    return client


@pytest.fixture
def desk(house) -> Client:
    """The browser of olivia, an officer who is staff."""
    house.olivia.is_staff = True
    house.olivia.save(update_fields=["is_staff"])
    browser = Client()
    sign_in_just_now(browser, house.olivia)
    return browser


def url(model: type, page: str = "changelist", *args: object) -> str:
    return reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args
    )


def test_every_model_of_ours_is_registered_and_scoped():
    from django.apps import apps

    for app in ("controls", "evidence"):
        for model in apps.get_app_config(app).get_models():
            assert isinstance(admin.site._registry.get(model), ScopedAdmin), model


SHARED = {  # reference data and teams: the same for everybody who signs in
    "Baseline",
    "BaselineControl",
    "Catalog",
    "Control",
    "ControlLayer",
    "ControlMapping",
    "ControlText",
    "ControlTextEdition",
    "PublishedService",
    "ReferenceVersion",
    "Service",
    "ServiceImport",
    "ServiceLayer",
    "ServiceVariant",
    "Team",
}


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_ac_03_rows_of_others_are_not_listed(model):
    found = admin.site._registry[model]
    scoped = found.scope_path or found.superuser_only
    seen = hasattr(model._default_manager.all(), "visible_to")
    assert scoped or seen or model.__name__ in SHARED


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_lists_open_search_and_offer_no_deletion(root, house, model):
    submitted(house)
    page = root.get(url(model))
    assert page.status_code == 200
    assert "delete_selected" not in page.content.decode()
    assert root.get(url(model), {"q": "ac"}).status_code == 200


@pytest.mark.parametrize("model", OURS, ids=lambda m: m._meta.label)
def test_officers_see_lists_without_error(desk, house, model):
    submitted(house)
    assert desk.get(url(model)).status_code in {200, 403}


@pytest.mark.parametrize(
    "model",
    [m for m in OURS if isinstance(admin.site._registry[m], ReadOnlyAdmin)],
    ids=lambda m: m._meta.label,
)
def test_records_cannot_be_added_changed_or_deleted(root, house, model):
    link = submitted(house)
    link.accept(by=house.rita)
    assert root.get(url(model, "add")).status_code == 403
    row = model._base_manager.first()
    if row is not None:
        assert root.get(url(model, "change", row.pk)).status_code == 200
        assert root.post(url(model, "change", row.pk), {}).status_code == 403
        assert root.post(url(model, "delete", row.pk), {}).status_code == 403


def test_people_without_the_staff_flag_stay_outside(house, client):
    sign_in_just_now(client, house.rita)
    assert client.get(url(AuditEvent)).status_code == 403


def another_system(house: House) -> System:
    """A system that olivia has no role in."""
    return System.objects.create(
        baseline=house.system.baseline,
        slug="hidden",
        name="Hidden One",
        regime="soc2",
        impact_level="low",
        window_start=dt.date(2026, 1, 1),
        window_end=dt.date(2026, 12, 31),
    )


def test_officer_sees_only_own_systems_in_lists_and_choices(desk, house):
    hidden = another_system(house)
    for model in (System, ControlImplementation, Membership):
        assert "Hidden One" not in desk.get(url(model)).content.decode()
    assert "Hidden One" not in desk.get(url(Membership, "add")).content.decode()
    assert desk.get(url(System, "change", hidden.pk)).status_code == 302


def test_accounts_are_for_superusers(desk, root, house):
    assert desk.get(url(User)).status_code == 403
    said = {"email": "new@example.test", "name": "New", "usable_password": "false"}
    assert root.post(url(User, "add"), said).status_code == 302
    made = User.objects.get(email="new@example.test")
    assert not made.has_usable_password()
    assert AuditEvent.objects.filter(verb="user.created", subject_uuid=made.uuid)


def test_password_set_by_a_superuser_is_recorded_without_it(root, house):
    said = {"password1": "a long enough one 9", "password2": "a long enough one 9"}
    page = reverse("admin:auth_user_password_change", args=[house.alice.pk])
    assert root.post(page, said | {"usable_password": "true"}).status_code == 302
    event = AuditEvent.objects.get(verb="user.password-set")
    assert "long enough" not in event.body


def test_team_is_made_and_renamed_with_events(root, house):
    root.post(url(Team, "add"), {"name": "Web", "slug": "web"})
    team = Team.objects.get(slug="web")
    page = url(Team, "change", team.pk)
    said = {"name": "Website", "slug": "web", "seen_version": team.version}
    assert root.post(page, said).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.version) == ("Website", 2)
    verbs = AuditEvent.objects.filter(subject_uuid=team.uuid).order_by("seq")
    assert [event.verb for event in verbs] == ["team.created", "team.changed"]


def test_stale_form_changes_nothing(root, house):
    page = url(Team, "change", house.team.pk)
    said = {"name": "Late", "slug": "platform", "seen_version": house.team.version + 1}
    answer = root.post(page, said)
    assert "changed since" in answer.content.decode()
    house.team.refresh_from_db()
    assert house.team.name == "Platform"


def test_officer_ends_a_membership_and_it_is_on_the_systems_chain(desk, house):
    held = Membership.objects.get(user=house.rita)
    end = clock.now() - dt.timedelta(minutes=1)
    said = {"ends_at_0": f"{end:%Y-%m-%d}", "ends_at_1": f"{end:%H:%M:%S}"}
    assert desk.post(url(Membership, "change", held.pk), said).status_code == 302
    assert not System.objects.visible_to(house.rita).exists()
    event = AuditEvent.objects.get(verb="membership.changed")
    assert (event.chain, event.actor) == (str(house.system.uuid), house.olivia)


def test_staff_change_only_what_they_are_officers_of(house, client):
    house.rita.is_staff = True
    house.rita.save(update_fields=["is_staff"])
    sign_in_just_now(client, house.rita)
    held = Membership.objects.get(user=house.ray)
    page = url(Membership, "change", held.pk)
    said = {"ends_at_0": "2099-01-01", "ends_at_1": "00:00:00"}
    assert client.get(page).status_code == 200
    assert client.post(page, said).status_code == 403
    since = clock.now() - dt.timedelta(hours=1)
    Membership.objects.create(
        system=another_system(house), user=house.rita, role="officer", starts_at=since
    )
    answer = client.post(page, said, follow=True)
    assert "Only a compliance officer" in answer.content.decode()
    held.refresh_from_db()
    assert held.ends_at is None


def test_ending_a_component_derives_classes_again(desk, house):
    component = SystemComponent.objects.get(variant__service__slug="ec2")
    said = {"used_until": TODAY.isoformat(), "seen_version": component.version}
    page = url(SystemComponent, "change", component.pk)
    assert desk.post(page, said).status_code == 302
    component.refresh_from_db()
    assert component.used_until == TODAY
    assert AuditEvent.objects.filter(verb="component.ended").exists()


def test_r31_an_end_that_alters_the_past_is_sent_to_two_officers(desk, house):
    component = SystemComponent.objects.get(variant__service__slug="ec2")
    last = TODAY - dt.timedelta(days=10)
    said = {"used_until": last.isoformat(), "seen_version": component.version}
    page = url(SystemComponent, "change", component.pk)
    answer = desk.post(page, said, follow=True)
    assert "a second officer has to agree" in answer.content.decode()
    component.refresh_from_db()
    assert component.used_until is None
    assert not AuditEvent.objects.filter(verb="component.ended").exists()


def test_added_component_goes_through_the_verb(desk, house):
    gone = SystemComponent.objects.get(variant__service__slug="ec2")
    said = {
        "system": house.system.pk,
        "variant": gone.variant_id,
        "name": "second fleet",
        "regions": "us-east-1",
        "used_from": TODAY.isoformat(),
    }
    assert desk.post(url(SystemComponent, "add"), said).status_code == 302
    assert SystemComponent.objects.get(name="second fleet").regions == ["us-east-1"]
    assert AuditEvent.objects.filter(verb="component.added").exists()


def test_history_is_our_log(root, house):
    answer = root.get(url(System, "history", house.system.pk), follow=True)
    assert "History of Shop" in answer.content.decode()
    assert "Created" in answer.content.decode()


def test_role_choice_is_closed(desk, house):
    answer = desk.post(url(Membership, "add"), {"role": "owner"})
    assert "owner is not one of the available choices" in answer.content.decode()
    assert not Membership.objects.filter(role="owner").exists()
    assert Role.OFFICER in Role.values
