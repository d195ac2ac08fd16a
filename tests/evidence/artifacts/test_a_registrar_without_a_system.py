"""A registrar who holds no role in a system keeps the register: led there, told what is
not shown, and refused what no report can say (R20, R21)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from evidence.artifacts.register import register_version
from evidence.models import Artifact, ArtifactVersion
from tests import factories
from tests.evidence import house as houses
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def rob(client, settings):
    settings.MFA_REQUIRED = False
    person = factories.make_user("rob")
    factories.give_installation_roles(person, "registrar")
    client.force_login(person)
    return person


def texts(client, url: str) -> str:
    return " ".join(client.get(url, follow=True).content.decode().split())


def test_the_register_is_where_a_registrar_begins(client, rob):
    house = houses.build()
    artifact = factories.make_artifact(house.olivia, ["pe-3"])
    factories.make_report(artifact, TODAY - 200 * DAY, TODAY - DAY)
    first = client.get("/", follow=True)
    assert first.redirect_chain[-1][0] == reverse("evidence:artifacts")
    page = " ".join(first.content.decode().split())
    assert "whether it relies on it, is not shown to you" in page
    assert "Cited for no control" not in page
    one = texts(client, reverse("evidence:artifact", args=[artifact.uuid]))
    assert "0 of 0" not in one
    assert "whether one relies on it is not shown to you" in one
    assert "You keep the register of reports" in texts(
        client, reverse("evidence:systems")
    )


def test_a_registrar_registers_what_a_report_can_say(client, rob):
    new = reverse("evidence:artifact_new")
    series = {
        "title": "Payroll SOC 2",
        "provider": "Blue Payroll",
        "series": "blue payroll!",
        "kind": "period",
        "scheme": "soc2",
    }
    refused = client.post(new, series).content.decode()
    assert "Use letters, digits and hyphens only" in refused
    assert "slug" not in refused.split("<main")[1].replace("form_token", "")
    client.post(new, series | {"series": "blue-soc2"})
    artifact = Artifact.objects.get(series="blue-soc2")
    url = reverse("evidence:version_new", args=[artifact.uuid])
    ends = TODAY - 100 * DAY
    report = {"label": "H1", "starts": ends - 180 * DAY, "ends": ends, "sites": "*"}
    early = client.post(url, report | {"issued_on": ends}).content.decode()
    assert "it was issued after them" in early
    client.post(url, report | {"issued_on": ends + DAY})
    version = ArtifactVersion.objects.get(artifact=artifact)
    letter = reverse("evidence:letter_new", args=[version.uuid])
    days = {"issued_on": TODAY, "ends": ends}
    assert f"continues the report from {ends + DAY}" in texts_of(client, letter, days)
    client.post(letter, days | {"ends": TODAY})
    assert version.letters.count() == 1

    remark = reverse("evidence:remark_new", args=[version.uuid])
    said = {"kind": "exception", "title": "E-1", "control_ids": "ac-2 (1), SI-99; pe 3"}
    assert "SI-99 is no control of the catalog" in texts_of(client, remark, said)
    client.post(remark, said | {"control_ids": "ac-2 (1), AC-02(01), pe 3"})
    assert version.remarks.get().control_ids == ["ac-2.1", "pe-3"]
    page = texts(client, reverse("evidence:artifact", args=[artifact.uuid]))
    assert "touches AC-2(1), PE-3" in page
    end = reverse("evidence:version_end", args=[version.uuid])
    for state, consequence in (
        ("superseded", "what it covers stays covered"),
        ("revoked", "Days from then on are open"),
    ):
        ended = client.post(end, {"state": state, "on": TODAY}, follow=True)
        assert consequence in ended.content.decode()


def texts_of(client, url: str, body: dict[str, object]) -> str:
    return " ".join(client.post(url, body).content.decode().split())


def test_a_report_without_an_end_may_be_issued_on_its_first_day(rob):
    artifact = factories.make_artifact(
        rob, [], title="P-ATO", series="pato", kind="authorization", scheme="fedramp"
    )
    made = register_version(
        artifact,
        label="now",
        starts=TODAY,
        ends=None,
        issued_on=TODAY,
        services=["*"],
        regions=["*"],
        impact_level="moderate",
        by=rob,
    )
    assert made.until is None
