"""Who holds a role of the installation brings a system, or keeps the reports."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, Membership, Role, System, SystemComponent, Team
from evidence.models import (
    Artifact,
    ArtifactCoverage,
    ArtifactVersion,
    Citation,
    ContinuityLetter,
    CoverageLine,
)
from tests import factories
from tests.evidence.systems.test_describe_a_system import filled_in

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
NOW = clock.now()
WRITTEN = (
    System,
    SystemComponent,
    Team,
    Membership,
    Artifact,
    ArtifactVersion,
    ArtifactCoverage,
    Citation,
    ContinuityLetter,
)
ONLY = "Only an officer of the installation or an administrator describes a new system."
REGISTRAR = "Only a registrar of reports may change the register."
OTHERS = ("alice", "rita", "audrey", "reader", "former", "coming", "clerk", "mallory")
OTHERS += ("olaf", "rhea")
WITHOUT_ROLE = ("former", "coming", "clerk", "mallory")


@pytest.fixture
def reader(system):
    """May read, and nothing else."""
    user = factories.make_user("reader")
    factories.give_role(user, system, Role.READER)
    return user


@pytest.fixture
def former(system):
    """An officer, here and of the installation, until a second ago."""
    user = factories.make_user("former")
    ended = NOW - dt.timedelta(seconds=1)
    factories.give_role(user, system, Role.OFFICER, ends_at=ended)
    factories.give_installation_roles(user, ends_at=ended)
    return user


@pytest.fixture
def coming(system):
    """An officer from tomorrow on."""
    user = factories.make_user("coming")
    factories.give_role(user, system, Role.OFFICER, starts_at=NOW + DAY)
    factories.give_installation_roles(user, starts_at=NOW + DAY)
    return user


@pytest.fixture
def olaf(system):
    """An officer of the system, and nothing in the installation."""
    user = factories.make_user("olaf")
    factories.give_role(user, system, Role.OFFICER)
    return user


@pytest.fixture
def rhea(system):
    """A registrar, who describes no systems."""
    user = factories.make_user("rhea")
    factories.give_installation_roles(user, "registrar")
    return user


@pytest.fixture
def ines(db):
    """An officer of the installation without a system, who keeps no reports."""
    user = factories.make_user("ines")
    factories.give_installation_roles(user, "officer")
    return user


@pytest.fixture
def clerk(db):
    """Staff, so that the admin lets them in, without a role."""
    return factories.make_user("clerk", is_staff=True)


@pytest.fixture
def person(request, as_user):
    """The browser of the person whose name the test was given."""
    return as_user(request.getfixturevalue(request.param))


@pytest.fixture
def report(system, oscar):
    """What oscar registered and cited before."""
    artifact = factories.make_artifact(oscar, ["pe-3"])
    return factories.make_report(artifact, NOW.date() - 200 * DAY, NOW.date() - 9 * DAY)


def written() -> list[int]:
    """How many rows there are of what these doors write.

    That somebody read or was refused is on record, and no writing of theirs.
    """
    looking = ["auditor.read", "access.refused"]
    events = AuditEvent.objects.exclude(verb__in=looking)
    return [events.count(), *(model.objects.count() for model in WRITTEN)]


def in_the_api() -> dict[str, object]:
    """A system as a program sends it."""
    return {
        "name": "Ledger",
        "slug": "ledger",
        "regime": "soc2",
        "impact_level": "moderate",
        "baseline": factories.make_baseline().slug,
        "window_start": "2026-01-01",
        "window_end": "2026-12-31",
        "components": [{"service": "s3", "used_from": "2026-01-01"}],
        "owners": {"": factories.make_team().slug},
    }


@pytest.mark.parametrize("person", OTHERS, indirect=True)
def test_others_describe_no_system_on_the_page(system, person):
    new, form = reverse("evidence:system_new"), filled_in(new_team="Mine", owner="")
    before = written()
    for answer in (
        person.get(new),
        person.post(new, form),
        person.post(new, {}),
    ):
        assert answer.status_code == 403
        assert ONLY in answer.content.decode()
    assert written() == before


@pytest.mark.parametrize("person", OTHERS, indirect=True)
def test_others_describe_no_system_over_the_api(system, person):
    url, whole = reverse("system-list"), in_the_api()
    before = written()
    for body in (whole, {}):
        answer = person.post(url, body, content_type="application/json")
        assert answer.status_code == 403
        assert answer.json()["detail"] == ONLY
    assert written() == before


@pytest.mark.parametrize("name", [*OTHERS, "oscar", "administrator"])
def test_nobody_describes_a_system_in_the_admin(name, system, request, as_user):
    user = (
        factories.administrator()
        if name == "administrator"
        else request.getfixturevalue(name)
    )
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    browser, add = as_user(user), reverse("admin:controls_system_add")
    form = filled_in()
    before = written()
    assert browser.get(add).status_code == 403
    assert browser.post(add, form).status_code == 403
    assert written() == before


@pytest.mark.parametrize("person", WITHOUT_ROLE, indirect=True)
def test_an_account_without_role_is_told_so_on_every_page_of_the_menu(system, person):
    for page in ("systems", "work", "requests", "queue", "artifacts", "exports"):
        answer = person.get(reverse(f"evidence:{page}"))
        assert answer.status_code == 200
        shown = answer.content.decode()
        assert "No role yet." in shown, page
        assert "Ask a compliance officer of your system" in shown, page
        assert reverse("evidence:system_new") not in shown, page


@pytest.mark.parametrize("person", ["alice", "reader", "oscar"], indirect=True)
def test_who_holds_a_role_is_not_told_that(system, person):
    for page in ("systems", "work", "requests", "queue", "artifacts", "exports"):
        answer = person.get(reverse(f"evidence:{page}"))
        assert "No role yet." not in answer.content.decode(), page


@pytest.mark.parametrize(
    ("person", "offered"), [("oscar", True), ("alice", False)], indirect=["person"]
)
def test_the_list_of_systems_offers_it_to_whom_may(system, person, offered):
    shown = person.get(reverse("evidence:systems")).content.decode()
    assert (reverse("evidence:system_new") in shown) is offered


def test_an_officer_describes_the_next_system_on_the_page(system, oscar, as_user):
    as_user(oscar).post(reverse("evidence:system_new"), filled_in())
    made = Membership.objects.get(system__slug="ledger")
    assert (made.user, made.role) == (oscar, Role.OFFICER)


def test_an_officer_describes_the_next_system_over_the_api(system, oscar, as_user):
    answer = as_user(oscar).post(
        reverse("system-list"), in_the_api(), content_type="application/json"
    )
    assert answer.status_code == 201
    assert Membership.objects.get(system__slug="ledger").user == oscar


def test_an_administrator_describes_the_first_system(as_user):
    root = factories.administrator()
    browser = as_user(root)
    shown = browser.get(reverse("evidence:systems")).content.decode()
    assert "No system yet." in shown
    assert "No role yet." not in shown
    answer = browser.post(
        reverse("system-list"), in_the_api(), content_type="application/json"
    )
    assert answer.status_code == 201
    assert Membership.objects.get(system__slug="ledger").user == root


@pytest.mark.parametrize("person", WITHOUT_ROLE, indirect=True)
def test_an_account_without_role_writes_nothing_into_the_register(report, person):
    series = {"title": "Mine", "series": "mine", "kind": "period", "scheme": "soc2"}
    said = {"provider": "AWS"} | series
    artifact = report.artifact
    cited = artifact.citations.get()
    before = written()
    answer = person.post(reverse("evidence:artifact_new"), said)
    assert answer.status_code == 403
    assert REGISTRAR in answer.content.decode()
    made = person.post(reverse("artifact-list"), series, "application/json")
    assert (made.status_code, made.json()["detail"]) == (403, REGISTRAR)
    for address in (  # of what is not shown to them: as if it were not there
        reverse("evidence:version_new", args=[artifact.uuid]),
        reverse("evidence:letter_new", args=[report.uuid]),
        reverse("evidence:version_end", args=[report.uuid]),
        reverse("evidence:cite", args=[artifact.uuid]),
        reverse("evidence:citation_remove", args=[cited.uuid]),
        reverse("artifact-versions", args=[artifact.uuid]),
        reverse("artifact-citations", args=[artifact.uuid]),
        reverse("artifact-version-letters", args=[report.uuid]),
        reverse("artifact-version-end", args=[report.uuid]),
    ):
        assert person.post(address, {}).status_code == 404, address
    gone = person.delete(reverse("citation-detail", args=[cited.uuid]))
    assert gone.status_code == 404
    assert written() == before


@pytest.mark.parametrize(
    "person", ["alice", "rita", "audrey", "reader", "olaf"], indirect=True
)
def test_roles_that_only_read_the_register_write_nothing_into_it(
    report, person, request
):
    cites = request.node.callspec.params["person"] == "olaf"  # of one system
    artifact = report.artifact
    cited = artifact.citations.get()
    before = written()
    for address in (
        reverse("evidence:artifact_new"),
        reverse("evidence:version_new", args=[artifact.uuid]),
        reverse("evidence:letter_new", args=[report.uuid]),
        reverse("evidence:version_end", args=[report.uuid]),
        reverse("artifact-list"),
        reverse("artifact-versions", args=[artifact.uuid]),
        reverse("artifact-version-letters", args=[report.uuid]),
        reverse("artifact-version-end", args=[report.uuid]),
    ):
        answer = person.post(address, {})
        assert answer.status_code == 403, address
        assert REGISTRAR in answer.content.decode(), address
    if cites:
        assert written() == before
        return
    for address in (  # of one system: its officers cite
        reverse("evidence:cite", args=[artifact.uuid]),
        reverse("evidence:citation_remove", args=[cited.uuid]),
        reverse("artifact-citations", args=[artifact.uuid]),
    ):
        answer = person.post(address, {})
        assert answer.status_code == 403, address
        assert "Only a compliance officer" in answer.content.decode(), address
    gone = person.delete(reverse("citation-detail", args=[cited.uuid]))
    assert gone.status_code == 403
    assert written() == before


def test_an_officer_of_the_installation_keeps_no_reports(report, ines, as_user):
    """AC-01: describing systems is one role, keeping reports another."""
    browser, before = as_user(ines), written()
    assert browser.post(reverse("evidence:artifact_new"), {}).status_code == 403
    answer = browser.post(reverse("artifact-list"), {}, "application/json")
    assert (answer.status_code, answer.json()["detail"]) == (403, REGISTRAR)
    assert written() == before


def test_an_officer_of_the_installation_describes_the_first_system(ines, as_user):
    """AC-01: through page and API alike."""
    browser = as_user(ines)
    assert browser.get(reverse("evidence:system_new")).status_code == 200
    answer = browser.post(reverse("system-list"), in_the_api(), "application/json")
    assert answer.status_code == 201
    assert Membership.objects.get(system__slug="ledger").user == ines


def test_a_registrar_without_a_system_keeps_reports(report, rhea, as_user):
    """R24: reports belong to the installation and are kept by registrars."""
    browser = as_user(rhea)
    shown = browser.get(reverse("evidence:artifacts")).content.decode()
    assert report.artifact.title in shown
    assert "No role yet." not in shown
    series = {"title": "Mine", "series": "mine", "kind": "period", "scheme": "soc2"}
    answer = browser.post(reverse("artifact-list"), series, "application/json")
    assert answer.status_code == 201
    made = Artifact.objects.get(series="mine")
    assert made.registered_by == rhea


def test_a_role_that_ends_acts_on_the_next_request(system, oscar, as_user):
    """AC-09: an open session loses the right with the role."""
    browser = as_user(oscar)
    assert browser.get(reverse("evidence:system_new")).status_code == 200
    assert browser.get(reverse("evidence:artifact_new")).status_code == 200
    oscar.installation_roles.update(ends_at=clock.now())
    assert browser.get(reverse("evidence:system_new")).status_code == 403
    assert browser.get(reverse("evidence:artifact_new")).status_code == 403


@pytest.mark.parametrize(
    "model",
    [
        Artifact,
        ArtifactVersion,
        ArtifactCoverage,
        Citation,
        ContinuityLetter,
        CoverageLine,
    ],
)
def test_the_admin_shows_the_register_and_changes_none_of_it(model, report, as_user):
    browser = as_user(factories.administrator())
    name = model._meta.model_name
    before = written()
    assert browser.post(reverse(f"admin:evidence_{name}_add"), {}).status_code == 403
    row = model.objects.first()
    if row:
        change = reverse(f"admin:evidence_{name}_change", args=[row.pk])
        assert browser.post(change, {"title": "Mine"}).status_code == 403
    assert written() == before
