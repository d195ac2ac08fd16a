"""R17: a change of our duties marks what was accepted before, from that day on."""

from __future__ import annotations

import datetime as dt

import pytest

from controls.models import AuditEvent, System, User
from evidence.models import EvidenceLink, RequirementControl
from evidence.models.confirmed_days import DayConfirmation
from evidence.reviews.reconfirm import marks
from evidence.status.control_status import now
from evidence.status.gather import Moment
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.factories import set_terms, variant
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
SHOWN = DayConfirmation(confirmed=True, shown_by="Ticket OPS-1")
CHANGE = TODAY - dt.timedelta(days=5)
PERFORMED = TODAY - dt.timedelta(days=20)


@pytest.fixture
def moved(oscar, platform) -> System:
    """S3 alone; RDS came five days ago, after patching was proven and accepted."""
    found = factories.make_system(oscar, team=platform, services=["s3"])
    for name, role in (("rita", "reviewer"), ("raul", "reviewer"), ("ray", "reader")):
        factories.give_role(factories.make_user(name), found, role)
    patches = RequirementControl.objects.filter(
        system=found, implementation__control__ref_id="si-2"
    ).first()
    assert patches
    set_terms(
        RequirementControl.objects.filter(pk=patches.pk),
        cadence="monthly",
        grace_days=5,
        operates_from=PERFORMED.replace(day=1),
    )
    patches.refresh_from_db()
    link = factories.make_evidence(patches, by=oscar, performed_on=PERFORMED)
    link.accept(by=person("rita"), day=SHOWN)
    return found


def person(name: str):
    return User.objects.get(email=f"{name}@example.com")


def take_rds(system: System, oscar) -> None:
    add_component(system, Use(variant("rds"), CHANGE, regions=["us-east-1"]), by=oscar)


def marked(system: System, day: dt.date, known_at=None) -> list[tuple[str, ...]]:
    pk = factories.implementation(system, "si-2").pk
    return [each.added for each in marks([pk], Moment(day, known_at))]


def test_it_is_marked_from_the_change_on_and_never_before(moved, oscar):
    assert marked(moved, TODAY) == []
    known = now()
    take_rds(moved, oscar)
    (added,) = marked(moved, TODAY)
    assert added == ("platform of rds", "service-configuration of rds")
    assert len(marked(moved, CHANGE)) == 1
    assert marked(moved, CHANGE - dt.timedelta(days=1)) == []
    assert marked(moved, TODAY, known) == []


def test_a_reviewer_confirms_it_from_the_page_and_the_mark_is_gone(
    moved, oscar, as_user
):
    take_rds(moved, oscar)
    link = EvidenceLink.objects.get()
    browser = as_user(person("raul"))
    assert "To confirm again" in browser.get("/work/").content.decode()
    control = f"/systems/{moved.slug}/controls/si-2/"
    assert "platform of Amazon RDS" in browser.get(control).content.decode()
    step = f"/links/{link.uuid}/reconfirm/"
    said = {"reason": "The report lists RDS engines", "next": "work"}
    assert browser.post(step, said).headers["Location"] == "/work/"
    assert marked(moved, TODAY) == []
    assert "To confirm again" not in browser.get("/work/").content.decode()
    assert link.reviews.count() == 2
    assert AuditEvent.objects.filter(verb="evidence.reconfirmed").count() == 1
    assert browser.post(step, said).status_code == 409
    # R14: what the first reviewer said of the day stays said
    assert link.reviews.order_by("pk").last().day_shown_by == "Ticket OPS-1"


@pytest.mark.parametrize(
    ("name", "status"), [("oscar", 403), ("ray", 403), ("mallory", 404)]
)
def test_others_do_not_confirm(moved, oscar, mallory, as_user, name, status):
    take_rds(moved, oscar)
    link = EvidenceLink.objects.get()
    browser = as_user(person(name))
    assert browser.post(f"/links/{link.uuid}/reconfirm/").status_code == status
    assert len(marked(moved, TODAY)) == 1


def test_the_api_lists_and_confirms(moved, oscar, as_user):
    take_rds(moved, oscar)
    browser = as_user(person("raul"))
    (row,) = browser.get("/api/v1/evidence/to-reconfirm/").json()
    assert (row["since"], row["added"]) == (
        str(CHANGE),
        ["platform of rds", "service-configuration of rds"],
    )
    path = f"/api/v1/evidence/{row['link']}/reconfirm/"
    link = EvidenceLink.objects.get()
    said = {"data": {"reason": "It does"}, "content_type": "application/json"}
    assert browser.post(path, **said).status_code == 428
    stale = {"If-Match": f'"{link.uuid}:{link.version - 1}"'}
    assert browser.post(path, **said, headers=stale).status_code == 412
    tag = {"If-Match": f'"{link.uuid}:{link.version}"'}
    done = browser.post(path, **said, headers=tag)
    assert done.json()["state"] == "accepted"
    assert browser.get("/api/v1/evidence/to-reconfirm/").json() == []
