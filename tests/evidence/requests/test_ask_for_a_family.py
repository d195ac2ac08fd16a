"""An auditor asks for a family or the whole baseline in one request, by page, API and
the act on many controls; every list stays short, and the request's page folds it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls.models import Control, ControlImplementation
from evidence.models import EvidenceRequest
from tests.evidence.controls.test_act_on_many import token_of, words
from tests.evidence.requests import test_be_asked_for_evidence as asking
from tests.evidence.requests.test_be_asked_for_evidence import DUE, as_, made, wished
from tests.factories import catalog_slug

pytestmark = pytest.mark.django_db
__all__ = ["as_"]
FAMILIES = ["ac", "au", "cm", "ia"]


@pytest.fixture
def house(settings, tmp_path):
    """The company, whose baseline has four families more."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = asking.houses.build()
    have = built.system.implementations.values("control")
    ControlImplementation.objects.bulk_create(
        ControlImplementation(system=built.system, control=control)
        for control in Control.objects.filter(
            family__in=FAMILIES, withdrawn=False, catalog__slug=catalog_slug()
        ).exclude(pk__in=have)
    )
    return built


def test_a_family_and_the_whole_baseline_are_one_request_each(as_, house):
    baseline = house.system.implementations
    number = baseline.count()
    assert number > 100  # more than one request named before
    browser = as_("audrey")
    place = f"/systems/{house.system.slug}/requests/new/"
    family = browser.post(place, wished(house, control_ids="AC, SI-2"))
    assert family.status_code == 302, words(family)
    asked = EvidenceRequest.objects.get()
    of_family = baseline.filter(control__family="ac").count()
    assert asked.controls.count() == of_family + 1
    elsewhere = browser.post(place, wished(house, control_ids="AC, ZZ"))
    assert elsewhere.status_code == 400
    assert "This is not in the baseline of the system: zz." in words(elsewhere)
    body = {"system": house.system.slug, "control_ids": ["all"], "title": "Everything"}
    body |= {"team": house.team.slug, "due_on": str(DUE)}
    whole = browser.post("/api/v1/requests/", body, content_type="application/json")
    assert whole.status_code == 201, whole.content
    assert len(whole.json()["control_ids"]) == number
    body["control_ids"] = ["ac-2"] * 2001
    many = browser.post("/api/v1/requests/", body, content_type="application/json")
    assert many.status_code == 400


def test_all_controls_of_a_list_are_one_request(as_, house):
    browser = as_("olivia")
    many = f"/systems/{house.system.slug}/many/"
    act = browser.post(many, {"act": "request"})["Location"]
    fields = {"title_of_request": "Everything", "team": house.team.pk, "due_on": DUE}
    preview = browser.post(act, fields)
    number = house.system.implementations.count()
    assert f"Request evidence of {number} controls" in words(preview)
    assert "refused row" not in words(preview)
    browser.post(f"{many}request/confirm/", {"token": token_of(preview)})
    assert EvidenceRequest.objects.get().controls.count() == number


def test_lists_name_the_first_and_the_page_folds_by_family(as_, house):
    asked = made(house, control_ids=["all"])
    number = house.system.implementations.count()
    for name, path in (("olivia", "/requests/"), ("alice", "/work/")):
        assert f"and {number - 5} more" in words(as_(name).get(path)), path
    page = as_("alice").get(f"/requests/{asked.uuid}/")
    assert f"About {number} controls" in words(page)
    assert "AC: Access Control," in words(page)
    small = made(house, control_ids=["cm-8"])
    few = as_("alice").get(f"/requests/{small.uuid}/")
    assert "About 1 control" in words(few)
    assert "AC: Access Control" not in words(few)


def test_one_control_or_all_take_the_same_statements(as_, house):
    small, large = made(house), made(house, control_ids=["all"])
    browser = as_("alice")

    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as log:
            assert browser.get(path).status_code == 200
        return len(log)

    statements("/requests/")
    one, many = (statements(f"/requests/{row.uuid}/") for row in (small, large))
    assert one == many
