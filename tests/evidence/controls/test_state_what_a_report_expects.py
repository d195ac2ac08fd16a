"""R26, R28: an inherited control of which a provider's report expects something of us
is asked how far it is, and stands among those of which nobody has said so."""

from __future__ import annotations

import pytest
from django.urls import reverse

from controls.models import ControlImplementation, Role
from evidence.models import ArtifactVersion, ReportRemark
from evidence.requirements.changes import NewTerms, add_requirement
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
START = factories.START


@pytest.fixture
def vault(oscar, alice, settings):
    """PE-3 and PE-13, both inherited, of which nobody has said anything; the platform
    team owns them and is asked for what a report expects of PE-3."""
    settings.MFA_REQUIRED = False
    baseline = factories.make_baseline(("pe-3", "pe-13"), slug="two")
    system = factories.make_system(
        oscar, slug="vault", services=("s3",), baseline=baseline, stated=False
    )
    team = factories.make_team()
    factories.give_role(alice, system, Role.CONTRIBUTOR, team=team)
    artifact = factories.make_artifact(oscar, ["pe-3", "pe-13"])
    factories.make_report(artifact, START, TODAY)
    expected = ReportRemark.objects.create(
        artifact_version=ArtifactVersion.objects.get(),
        registered_by=oscar,
        kind="user-control",
        title="CUEC-1",
        control_ids=["pe-3"],
    )
    add_requirement(
        factories.implementation(system, "pe-3"),
        NewTerms("List of who may enter", "yearly", "operation", START),
        by=oscar,
        user_control=expected,
    )
    return system


def stated(vault) -> dict[str, str]:
    rows = ControlImplementation.objects.filter(system=vault)
    return dict(rows.values_list("control__ref_id", "implementation_status"))


def test_my_work_counts_it_and_leads_to_its_list(vault, alice, as_user):
    """R26, R28: one control, not the other that nobody expects anything of."""
    browser = as_user(alice)
    page = browser.get(reverse("evidence:work"))
    assert [
        (row["system__slug"], row["controls"]) for row in page.context["unstated"]
    ] == [(vault.slug, 1)]
    address = f"{reverse('evidence:controls', args=[vault.slug])}?status=not-stated"
    assert address in page.text
    assert "PE-3" in browser.get(address).text


def test_the_upload_asks_once_how_far_it_is(vault, alice, as_user):
    """R28: one field of the upload, as of a half that is ours by its class."""
    asked = factories.requirement(vault, "pe-3")
    page = as_user(alice).get(reverse("evidence:upload", args=[vault.slug, asked.uuid]))
    assert "implementation_status" in page.context["form"].fields


def test_it_is_stated_among_many_on_the_page(vault, oscar, as_user):
    """R28: by filter with a preview; of the other nothing is asked."""
    browser = as_user(oscar)
    address = reverse("evidence:status_of_many", args=[vault.slug])
    body = {"implementation_status": "implemented", "stated_from": TODAY}
    seen = browser.post(browser.post(address)["Location"], body)
    assert seen.status_code == 200, seen.text
    assert "No part of it is ours" in seen.text
    confirm = reverse("evidence:status_of_many_confirm", args=[vault.slug])
    assert browser.post(confirm, {"token": seen.context["token"]}).status_code == 302
    assert stated(vault) == {"pe-3": "implemented", "pe-13": "not-stated"}
    assert browser.get(reverse("evidence:work")).context["unstated"] == []


def test_it_is_stated_among_many_over_the_api(vault, oscar, client):
    """R28: the same by programs."""
    client.force_login(oscar)
    address = f"/api/v1/systems/{vault.slug}/implementation-status/"
    body = {"implementation_status": "implemented"}
    seen = client.post(f"{address}preview/", body, "application/json")
    assert seen.status_code == 200, seen.content
    done = client.post(
        f"{address}confirm/", {"token": seen.json()["token"]}, "application/json"
    )
    assert (done.status_code, done.json()) == (200, {"controls": 1})
    assert stated(vault) == {"pe-3": "implemented", "pe-13": "not-stated"}
