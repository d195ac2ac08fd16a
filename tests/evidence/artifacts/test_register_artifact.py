"""An officer registers AWS's reports by their facts and cites them in one act."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.models import AuditEvent, Control
from evidence.artifacts import register
from evidence.artifacts.citations import cite
from evidence.models import Artifact, ArtifactVersion, Citation
from tests.evidence import house as houses
from tests.evidence.house import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def soc2(house) -> Artifact:
    return register.register_artifact(
        title="AWS SOC 2 Type II",
        series="aws-soc2",
        kind="period",
        scheme="soc2",
        by=house.olivia,
    )


@pytest.fixture
def report(house, soc2) -> ArtifactVersion:
    return register.register_version(
        soc2,
        label="Spring 2026",
        starts=dt.date(2025, 10, 1),
        ends=dt.date(2026, 3, 31),
        services=["s3", "ec2"],
        regions=["us-east-1"],
        by=house.olivia,
    )


def test_officer_registers_series_report_and_letter(client, house):
    client.force_login(house.olivia)
    client.post(
        reverse("evidence:artifact_new"),
        {
            "title": "AWS SOC 2 Type II",
            "provider": "AWS",
            "series": "aws-soc2",
            "kind": "period",
            "scheme": "soc2",
        },
    )
    made = Artifact.objects.get()
    client.post(
        reverse("evidence:version_new", args=[made.uuid]),
        {
            "label": "Spring",
            "starts": "2025-10-01",
            "ends": "2026-03-31",
            "services": ["s3", "ec2"],
            "regions": "us-east-1, eu-west-1 us-east-1",
            "partition": "aws",
        },
    )
    version = made.versions.get()
    assert version.until == dt.date(2026, 4, 1)
    assert version.service_slugs == ["ec2", "s3"]
    assert version.regions == ["eu-west-1", "us-east-1"]
    assert version.services.count() == 2
    client.post(
        reverse("evidence:letter_new", args=[version.uuid]),
        {"issued_on": "2026-06-30", "ends": "2026-06-15"},
    )
    letter = version.letters.get()
    assert letter.starts == dt.date(2026, 4, 1)
    assert letter.until == dt.date(2026, 6, 16)
    page = client.get(reverse("evidence:artifact", args=[made.uuid])).content.decode()
    assert "2026-03-31" in page
    assert "2026-06-15" in page
    assert "Spring" in client.get(reverse("evidence:artifacts")).content.decode()
    verbs = list(
        AuditEvent.objects.filter(chain="instance").values_list("verb", flat=True)
    )
    for verb in ("artifact.registered", "artifact-version.registered", "letter.added"):
        assert verb in verbs


@pytest.mark.parametrize("name", ["alice", "rita", "audrey", "ray"])
def test_others_read_the_register_and_may_not_write(client, house, soc2, report, name):
    client.force_login(house.people[name])
    assert client.get(reverse("evidence:artifacts")).status_code == 200
    assert client.get(reverse("evidence:artifact", args=[soc2.uuid])).status_code == 200
    for page, target in [
        ("artifact_new", []),
        ("version_new", [soc2.uuid]),
        ("cite", [soc2.uuid]),
        ("letter_new", [report.uuid]),
        ("version_end", [report.uuid]),
    ]:
        url = reverse(f"evidence:{page}", args=target)
        assert client.get(url).status_code == 403
        assert client.post(url, {}).status_code == 403


def test_outsider_sees_no_register(client, house, soc2):
    client.force_login(house.mallory)
    page = client.get(reverse("evidence:artifacts")).content.decode()
    assert soc2.title not in page
    assert client.get(reverse("evidence:artifact", args=[soc2.uuid])).status_code == 404


def test_bad_facts_are_refused_in_words(client, house, soc2):
    client.force_login(house.olivia)
    url = reverse("evidence:version_new", args=[soc2.uuid])
    said = {
        "label": "x",
        "starts": "2026-02-01",
        "ends": "2026-01-01",
        "partition": "aws",
    }
    answer = client.post(url, said)
    assert answer.status_code == 400
    assert "ends on or after its first day" in answer.content.decode()
    answer = client.post(url, said | {"ends": "2026-03-01", "regions": "moon"})
    assert "This is not the name of a region: moon" in answer.content.decode()
    assert not ArtifactVersion.objects.exists()


def test_same_series_twice_is_refused(client, house, soc2):
    client.force_login(house.olivia)
    said = {
        "title": "Other",
        "provider": "AWS",
        "series": "aws-soc2",
        "kind": "period",
        "scheme": "soc2",
    }
    assert client.post(reverse("evidence:artifact_new"), said).status_code == 400
    assert Artifact.objects.count() == 1


def test_all_inherited_and_shared_controls_are_cited_in_one_act(client, house, soc2):
    client.force_login(house.olivia)
    url = reverse("evidence:cite", args=[soc2.uuid])
    client.post(url, {"system": "shop", "family": "", "citation": "Section III"})
    cited = set(Citation.objects.values_list("control__ref_id", flat=True))
    assert cited == {"pe-3", "si-2", "cm-8"}
    assert AuditEvent.objects.filter(verb="artifact.cited").count() == 1
    client.post(url, {"system": "shop", "family": "pe"})
    assert Citation.objects.count() == 3
    assert AuditEvent.objects.filter(verb="artifact.cited").count() == 1


def test_citation_is_removed_and_that_is_recorded(client, house, soc2):
    control = Control.objects.get(ref_id="pe-3")
    cite(soc2, house.system, [control], by=house.olivia)
    url = reverse("evidence:citation_remove", args=[soc2.citations.get().uuid])
    client.force_login(house.alice)
    assert client.post(url).status_code == 403
    client.force_login(house.olivia)
    assert client.get(url).status_code == 302
    assert client.post(url).status_code == 302
    assert not soc2.citations.exists()
    assert AuditEvent.objects.filter(verb="citation.removed").exists()


def test_report_is_ended_once(client, house, report):
    client.force_login(house.olivia)
    url = reverse("evidence:version_end", args=[report.uuid])
    said = {"state": "superseded", "on": "2026-05-01", "version": report.version}
    stale = said | {"version": report.version + 1}
    assert client.post(url, stale).status_code == 409
    assert client.post(url, said).status_code == 302
    report.refresh_from_db()
    assert (report.state, report.ended_on) == ("superseded", dt.date(2026, 5, 1))
    assert client.post(url, said).status_code == 409
