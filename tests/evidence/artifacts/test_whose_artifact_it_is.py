"""An artifact belongs to a provider, and a component says who provides it (R3, R20)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.errors import Refused
from evidence.artifacts.citations import controls_of_provider
from evidence.artifacts.register import register_version
from evidence.models import Artifact
from evidence.status.gather import Moment, gather
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
OWN = {"kind": "assessment", "scheme": "own"}
SERIES = "/api/v1/artifacts/"


@pytest.fixture
def cage(system, oscar):
    """The landlord's, in FRA1."""
    use = Use(
        factories.variant("colocation-site"),
        TODAY,
        regions=["FRA1", "us-east-1"],
        provided_by="Harbour Colocation",
    )
    return add_component(system, use, by=oscar)


def registered(browser, **fields):  # type: ignore[no-untyped-def]
    said = {"title": "Report", "series": "report", "kind": "period", "scheme": "soc2"}
    return browser.post(SERIES, said | fields, "application/json")


def test_the_api_and_the_page_say_whose_it_is(system, oscar, as_user):
    """R3: the provider is told by its name, however AWS's is written."""
    browser = as_user(oscar)
    made = registered(browser, provider="Harbour Colocation")
    assert made.status_code == 201, made.content
    assert made.json()["provider_slug"] == "harbour-colocation"
    page = browser.get(reverse("evidence:artifacts")).content.decode()
    assert "Harbour Colocation" in page
    aws = registered(browser, series="other", provider="Amazon Web Services")
    assert aws.json()["provider_slug"] == "aws"
    assert registered(browser, series="third").json()["provider"] == "AWS"


@pytest.mark.parametrize("name", ["AWS", "aws", "Amazon Web Services"])
def test_aws_is_never_assessed_by_us(system, oscar, as_user, name):
    """R20: by constraint, on the page and over the API."""
    browser = as_user(oscar)
    refused = registered(browser, provider=name, **OWN)
    assert refused.status_code == 400
    form = {"title": "Visit", "series": "visit", "provider": name, **OWN}
    page = browser.post(reverse("evidence:artifact_new"), form)
    assert page.status_code == 400
    assert "AWS issues reports" in page.content.decode()
    assert not Artifact.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Artifact.objects.create(
            title="Visit", series="visit", registered_by=oscar, **OWN
        )


def test_only_an_assessment_is_of_our_own_scheme(system, oscar, as_user):
    browser = as_user(oscar)
    for wrong in ({"kind": "assessment"}, {"scheme": "own"}):
        answer = registered(browser, provider="Harbour", **wrong)
        assert "scheme" in answer.json()["errors"], wrong


@pytest.mark.parametrize(
    ("provider", "scope", "field"),
    [
        ("Harbour", {"services": ["*"]}, "services"),
        ("Harbour", {"services": [], "regions": ["us-east-1"]}, "regions"),
        ("Harbour", {"services": [], "sites": ["<b>"]}, "sites"),
        ("AWS", {"services": ["*"], "sites": ["FRA1"]}, "sites"),
    ],
)
def test_scope_is_the_providers_own(system, oscar, as_user, provider, scope, field):
    """R23: regions are AWS's; of other providers sites or services by name."""
    browser = as_user(oscar)
    made = registered(browser, provider=provider).json()
    said = {"label": "2026", "starts": "2026-01-01", "ends": "2026-06-30"} | scope
    answer = browser.post(f"{SERIES}{made['uuid']}/versions/", said, "application/json")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_the_page_asks_for_sites_of_others(system, oscar, as_user):
    """R23: services, regions and partition are asked of AWS's reports only."""
    browser = as_user(oscar)
    made = registered(browser, provider="Harbour").json()
    address = reverse("evidence:version_new", args=[made["uuid"]])
    page = browser.get(address).content.decode()
    assert 'name="sites"' in page
    assert 'name="regions"' not in page
    form = {"label": "2026", "starts": "2026-01-01", "ends": "2026-06-30"}
    answer = browser.post(address, form | {"sites": "FRA1, Hall 3 (north)"})
    assert answer.status_code == 302, answer.content
    report = Artifact.objects.get().versions.get()
    assert report.sites == ["FRA1", "Hall 3 (north)"]
    assert "Hall 3 (north)" in browser.get(answer.url).content.decode()


def test_the_page_of_an_assessment_asks_for_its_one_day(system, oscar, as_user):
    """R20: the form asks for what an assessment says and for nothing else."""
    browser = as_user(oscar)
    artifact = factories.make_artifact(oscar, [], provider="Harbour", **OWN)
    address = reverse("evidence:version_new", args=[artifact.uuid])
    page = browser.get(address).content.decode()
    assert "Day it was made" in page
    assert "Its days count as asserted, never as audited." in page
    for name in ("ends", "issued_on", "opinion", "impact_level", "regions"):
        assert f'name="{name}"' not in page
    form = {"label": "Visit", "starts": "2026-03-10", "sites": "Hall 3"}
    assert browser.post(address, form).status_code == 302
    made = artifact.versions.get()
    assert (made.starts, made.until, made.sites) == (
        dt.date(2026, 3, 10),
        None,
        ["Hall 3"],
    )


def test_an_assessment_has_one_day_that_has_come(system, oscar):
    """R20: no end of its own, and no days to come."""
    artifact = factories.make_artifact(oscar, [], provider="Harbour", **OWN)
    scope = {"services": [], "sites": ["*"], "by": oscar}
    tomorrow = TODAY + dt.timedelta(days=1)
    with pytest.raises(Refused):
        register_version(artifact, label="1", starts=tomorrow, ends=None, **scope)
    with pytest.raises(Refused):
        register_version(artifact, label="2", starts=TODAY, ends=tomorrow, **scope)
    made = register_version(artifact, label="3", starts=TODAY, ends=TODAY, **scope)
    assert made.until is None


def test_a_provider_that_provides_nothing_is_not_cited(system, cage, oscar):
    """R24: the refusal names who provides something here."""
    artifact = factories.make_artifact(oscar, [], provider="Harbor Colocation")
    with pytest.raises(Refused, match="Providers beside AWS: Harbour Colocation"):
        controls_of_provider(artifact, system)
    mine = factories.make_artifact(oscar, [], series="h", provider=cage.provided_by)
    here = {control.ref_id for control in controls_of_provider(mine, system)}
    assert "pe-3" in here
    assert "si-2" not in here


def test_two_saas_are_two_providers(system, oscar):
    """R3: each is a need of its own."""
    for name in ("Desk One", "Desk Two"):
        use = Use(factories.variant("saas"), TODAY, name=name, provided_by=name)
        add_component(system, use, by=oscar)
    pk = factories.implementation(system, "pe-3").pk
    aws = gather(system, [pk], Moment(TODAY)).facts[pk].aws
    assert aws is not None
    assert {need.provider for need in aws.needed} == {"aws", "desk-one", "desk-two"}


def test_a_component_names_its_third_party_and_its_sites(system, cage, as_user, oscar):
    """R3, R23: AWS is no third party; nobody else provides S3."""
    assert (cage.regions, cage.provided_by) == (["FRA1"], "Harbour Colocation")
    browser = as_user(oscar)
    where = f"/api/v1/systems/{system.slug}/components/"
    line = {"service": "carrier-link", "used_from": str(TODAY)}
    for wrong in (
        line | {"provided_by": "AWS"},
        line | {"service": "sqs", "provided_by": "Harbour"},
    ):
        answer = browser.post(where, wrong, "application/json")
        assert answer.status_code == 400
        assert "provided_by" in answer.json()["errors"]
    made = browser.post(where, line | {"provided_by": "Carrier"}, "application/json")
    assert made.status_code == 201, made.content
    assert made.json()["provided_by"] == "Carrier"
    page = browser.get(reverse("evidence:components", args=[system.slug]))
    assert "Harbour Colocation" in page.content.decode()


def test_the_page_takes_third_party_and_sites(system, as_user, oscar):
    """R3: as the API does."""
    form = {
        "variant": factories.variant("colocation-site").pk,
        "used_from": str(TODAY),
        "regions": "us-east-1",
        "provided_by": "Harbour",
        "sites": "FRA1, AMS3",
    }
    address = reverse("evidence:component_add", args=[system.slug])
    as_user(oscar).post(address, form)
    made = system.components.get(provided_by="Harbour")
    assert made.regions == ["AMS3", "FRA1"]


@pytest.mark.parametrize("name", ["alice", "rita", "audrey"])
def test_others_register_no_assessment(system, name, request, as_user):
    """R20: registrars keep the register."""
    browser = as_user(request.getfixturevalue(name))
    assert registered(browser, provider="Harbour", **OWN).status_code == 403
    assert not Artifact.objects.exists()
