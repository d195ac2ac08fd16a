"""Nothing is relied on unread: a second person reads each report for each system."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.errors import NotPermitted, Refused
from controls.models import AuditEvent
from evidence.artifacts import register, reliance
from evidence.artifacts.citations import cite, controls_of_provider
from evidence.models import ArtifactVersion, RelianceReview
from tests.evidence import house as houses
from tests.evidence.house import House

pytestmark = pytest.mark.django_db
NOTES = {"scope_note": "All services in scope", "period_note": "Ends in March"}


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def report(house) -> ArtifactVersion:
    soc2 = register.register_artifact(
        title="SOC 2", series="soc2", kind="period", scheme="soc2", by=house.olivia
    )
    return register.register_version(
        soc2,
        label="Spring",
        starts=dt.date(2025, 10, 1),
        ends=dt.date(2026, 3, 31),
        services=["s3"],
        regions=["*"],
        by=house.olivia,
    )


def url(report: ArtifactVersion, slug: str = "shop") -> str:
    return reverse("evidence:reliance", args=[slug, report.uuid])


def test_reviewer_reads_scope_against_use_and_relies(client, house, report):
    client.force_login(house.rita)
    shown = client.get(url(report))
    assert "conclusion" in form_of(shown)
    page = shown.content.decode()
    assert "not in scope" in page  # EC2 is in use, the report names S3 only
    answer = client.post(url(report), NOTES | {"conclusion": "rely"})
    assert answer.status_code == 302
    review = RelianceReview.objects.get()
    assert (review.reviewer, review.conclusion) == (house.rita, "rely")
    assert review.registered_by == house.olivia
    event = AuditEvent.objects.get(verb="reliance.recorded")
    assert event.chain == str(house.system.uuid)
    page = client.get(answer["Location"]).content.decode()
    assert "All services in scope" in page


def form_of(answer) -> set[str]:
    """The names of what may be filled in on a page that everybody may read."""
    assert answer.status_code == 200
    main = answer.content.decode().partition("<main")[2]
    return set(re.findall(r'\bname="(\w+)"', main))


def test_registrar_may_not_review(client, house, report):
    client.force_login(house.olivia)
    assert "conclusion" not in form_of(client.get(url(report)))
    assert client.post(url(report), NOTES | {"conclusion": "rely"}).status_code == 403
    with pytest.raises(NotPermitted, match="somebody else"):
        reliance.record_reliance(
            report, house.system, conclusion="rely", by=house.olivia, **NOTES
        )


def test_database_refuses_the_registrar_too(house, report):
    review = RelianceReview(
        artifact_version=report,
        system=house.system,
        reviewer=house.olivia,
        registered_by=house.olivia,
        conclusion="rely",
        reviewed_on=dt.date(2026, 4, 1),
    )
    with pytest.raises(IntegrityError, match=r"not_registrar|R32"):
        with transaction.atomic():
            review.save(force_insert=True)


@pytest.mark.parametrize("name", ["alice", "bob", "audrey", "ray"])
def test_others_may_not_review(client, house, report, name):
    client.force_login(house.people[name])
    assert "conclusion" not in form_of(client.get(url(report)))
    assert client.post(url(report), NOTES | {"conclusion": "rely"}).status_code == 403
    assert not RelianceReview.objects.exists()


def test_outsider_and_foreign_system_are_not_found(client, house, report):
    client.force_login(house.mallory)
    assert client.get(url(report)).status_code == 404
    client.force_login(house.rita)
    assert client.get(url(report, "elsewhere")).status_code == 404


@pytest.mark.parametrize("missing", ["scope_note", "period_note"])
def test_review_without_having_read_is_refused(client, house, report, missing):
    client.force_login(house.rita)
    answer = client.post(url(report), NOTES | {missing: " ", "conclusion": "rely"})
    assert answer.status_code == 400
    assert not RelianceReview.objects.exists()
    with pytest.raises(Refused):
        reliance.record_reliance(
            report,
            house.system,
            conclusion="rely",
            by=house.rita,
            **(NOTES | {missing: ""}),
        )


def test_conclusion_must_be_one_of_three(client, house, report):
    client.force_login(house.rita)
    answer = client.post(url(report), NOTES | {"conclusion": "perhaps"})
    assert answer.status_code == 400


def test_later_review_counts_and_both_stay(client, house, report):
    client.force_login(house.rita)
    client.post(url(report), NOTES | {"conclusion": "rely"})
    client.post(url(report), NOTES | {"conclusion": "do-not-rely"})
    assert RelianceReview.objects.count() == 2
    page = client.get(reverse("evidence:artifact", args=[report.artifact.uuid]))
    assert "Do not rely" in page.content.decode()


def test_review_locks_the_report(house, report):
    with CaptureQueriesContext(connection) as asked:
        reliance.record_reliance(
            report, house.system, conclusion="rely", by=house.rita, **NOTES
        )
    assert any("FOR UPDATE" in query["sql"] for query in asked)


def test_unread_report_is_work_for_a_reviewer(client, house, report):
    controls = controls_of_provider(report.artifact, house.system)
    cite(report.artifact, house.system, controls, by=house.olivia)
    client.force_login(house.rita)
    page = client.get(reverse("evidence:work")).content.decode()
    assert url(report) in page
    client.post(url(report), NOTES | {"conclusion": "rely"})
    assert url(report) not in client.get(reverse("evidence:work")).content.decode()
