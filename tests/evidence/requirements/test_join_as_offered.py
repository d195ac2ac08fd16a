"""The shipped list of joins: its form, what it offers and what it saves (R11).

One file: the list, the page that offers it and the burden tell of the same asks.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from controls.models import Baseline, BaselineControl, Control, RetrospectiveChange
from evidence.models import EvidenceRequirement, RequirementControl
from evidence.models.asks import Cadence
from evidence.requirements.baseline_frequency import stated_for
from evidence.requirements.burden import burden_on
from evidence.requirements.from_templates import ask_for_all, templates
from evidence.requirements.join_checks import MAX_LINE
from evidence.requirements.join_offers import (
    offers_among,
    shipped_joins,
    standing_alone,
)
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.one_day import TODAY


@pytest.fixture
def house(db, settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def test_r11_no_control_is_in_two_joins_and_each_has_its_line(db):
    """R11: made control by control, with one line each, of controls that are there."""
    named = Counter(ref_id for join in shipped_joins() for ref_id in join.lines)
    assert [ref_id for ref_id, times in named.items() if times > 1] == []
    known = set(Control.objects.values_list("ref_id", flat=True))
    assert set(named) <= known
    slugs = [join.slug for join in shipped_joins()]
    assert len(set(slugs)) == len(slugs)
    for join in shipped_joins():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", join.slug)
        assert len(join.lines) > 1
        assert join.cadence in set(Cadence.values) - {"per-event", "once"}
        assert all((join.title, join.guidance, join.good_proof))
        for line in join.lines.values():
            assert 10 < len(line) <= MAX_LINE and line[-1] == "." and "\n" not in line


def test_r11_no_join_is_a_whole_family(db):
    """R11: no family default: none takes all controls of a family with many."""
    sizes = Counter(
        Control.objects.filter(parent=None).values_list("family", flat=True)
    )
    for join in shipped_joins():
        for family, number in Counter(
            ref_id.split("-")[0] for ref_id in join.lines if "." not in ref_id
        ).items():
            assert number < sizes[family], (join.slug, family)


def test_r18_no_offer_is_rarer_than_what_a_baseline_states(db):
    """R18: of each FedRAMP baseline; templates of the family are not undercut."""
    assert "ac-2" in templates()
    oscar = factories.make_user("oscar")
    for slug in ("fedramp-low", "fedramp-moderate", "fedramp-high"):
        parameters = BaselineControl.objects.filter(baseline__slug=slug)
        system = factories.make_system(
            oscar,
            slug=slug,
            baseline=Baseline.objects.get(slug=slug),
            services=["s3"],
        )
        stated = stated_for(system)
        assert parameters.exists() and stated
        offers = offers_among(standing_alone(system, TODAY), stated)
        assert offers
        for offer in offers:
            for row, _ in offer.rows:
                assert not _is_rarer(offer.shipped.cadence, row, stated)


def _is_rarer(cadence: str, row: RequirementControl, stated: Any) -> bool:
    own = stated.get(row.implementation.control_id)
    order = list(Cadence.values)
    return own is not None and order.index(cadence) > order.index(own.cadence)


@pytest.fixture
def moderate(db, settings) -> tuple[Any, Any]:
    """A FedRAMP MODERATE system on servers, and its officer."""
    settings.MFA_REQUIRED = False
    oscar = factories.make_user("oscar")
    system = factories.make_system(
        oscar,
        baseline=Baseline.objects.get(slug="fedramp-moderate"),
        services=["ec2", "s3", "iam", "kms", "vpc"],
    )
    return system, oscar


def test_r11_the_page_offers_what_the_list_joins_and_says_what_it_saves(
    client, moderate
):
    """R11: one click joins all that is offered; the figures are those of after."""
    system, oscar = moderate
    client.force_login(oscar)
    url = reverse("evidence:join_asks", args=[system.slug])
    before = burden_on(system, TODAY)
    page = client.get(url).content.decode()
    assert f"{before.now.asks} asks" in page and f"{before.joined.asks} asks" in page
    assert "Every account with its owner, its roles and the reviewer" in page
    assert client.post(url).status_code == 302
    after = burden_on(system, TODAY)
    assert after.now == before.joined
    assert after.now.controls == before.now.controls
    assert after.now.asks * 4 < before.now.asks
    assert after.now.uploads * 3 < before.now.uploads
    listed = client.get(reverse("evidence:requirements", args=[system.slug]))
    assert f"{after.now.uploads} uploads" in listed.content.decode()
    shown = client.get(reverse("evidence:dashboard", args=[system.slug]))
    assert f"{after.now.reviews} reviews a year" in shown.content.decode()
    assert "offers nothing to join" in client.get(url).content.decode()


def test_r11_an_offer_is_looked_at_changed_and_joined(client, moderate):
    """R11: each control with its line; one is left out, one has other words."""
    system, oscar = moderate
    client.force_login(oscar)
    offers = offers_among(standing_alone(system, TODAY), stated_for(system))
    offer = next(offer for offer in offers if offer.shipped.slug == "log-settings")
    url = reverse("evidence:join_preview", args=[system.slug])
    form = client.get(url, {"offer": offer.key}).context["form"]
    body = {name: form[name].value() or "" for name in form.fields}
    body = {
        name: value.pk if hasattr(value, "pk") else value
        for name, value in body.items()
    }
    (left_out, _), (reworded, _), *others = offer.rows
    body["row"] = [str(row.uuid) for row, _ in offer.rows]
    body[f"line_{reworded.uuid}"] = ""
    answer = client.post(url, body)
    assert answer.status_code == 422
    label = reworded.implementation.control.label
    assert f"Say in one line what in it proves {label}." in answer.content.decode()
    body[f"line_{reworded.uuid}"] = "The whole list of trails."
    del body[f"joins_{left_out.uuid}"]
    answer = client.post(url, body)
    assert answer.status_code == 302
    ask = EvidenceRequirement.objects.get(joined_controls=reworded)
    assert reverse("evidence:ask", args=[system.slug, ask.uuid]) == answer["Location"]
    page = client.get(answer["Location"]).content.decode()
    assert "The whole list of trails." in page
    assert f"/api/v1/asks/{ask.uuid}/evidence/" in page
    assert ask.joined_controls.count() == len(others) + 1


def test_r11_own_choice_over_page_and_api(client, moderate):
    """R11, R32: rows of one's own choice; an earlier day waits; the API the same."""
    system, oscar = moderate
    client.force_login(oscar)
    rows = [factories.requirement(system, ref_id) for ref_id in ("ac-22", "ac-2")]
    url = reverse("evidence:join_preview", args=[system.slug])
    page = client.get(url, {"row": [str(row.uuid) for row in rows]})
    assert page.status_code == 200 and len(page.context["form"].rows) == 2
    body = {
        "system": system.slug,
        "title": "Published content and accounts",
        "cadence": "quarterly",
        "from_day": str(TODAY.replace(day=1)),
        "reason": "One file since then",
        "controls": [
            {"requirement": str(row.uuid), "what_it_shows": "Its part"} for row in rows
        ],
    }
    json = "application/json"
    answer = client.post("/api/v1/asks/", body, content_type=json)
    assert answer.status_code == 202
    assert RetrospectiveChange.objects.get().kind == "join"
    body["from_day"] = str(TODAY)
    answer = client.post("/api/v1/asks/", body, content_type=json)
    assert answer.status_code == 201
    made = answer.json()
    controls = [control["control_id"] for control in made["controls"]]
    assert (made["title"], controls) == (body["title"], ["ac-2", "ac-22"])
    listed = client.get("/api/v1/asks/", {"page_size": 500}).json()["results"]
    assert made["uuid"] in {ask["uuid"] for ask in listed}
    assert str(rows[0].ask.uuid) not in {ask["uuid"] for ask in listed}
    split = {"requirements": [str(row.uuid) for row in rows]}
    answer = client.post(
        f"/api/v1/asks/{made['uuid']}/split/", split, content_type=json
    )
    assert (answer.status_code, answer.json()["controls"]) == (200, [])
    offered = client.get("/api/v1/asks/offers/", {"system": system.slug}).json()
    assert {"key", "title", "controls"} <= offered[0].keys()


def test_r17_what_somebody_else_joined_meanwhile_is_said(client, moderate):
    """R17, RE-09: the form of an older tab is refused with all that was typed."""
    system, oscar = moderate
    client.force_login(oscar)
    rows = [factories.requirement(system, ref_id) for ref_id in ("ac-22", "ac-2")]
    controls = [{"requirement": str(row.uuid), "what_it_shows": "It"} for row in rows]
    joined = {
        "system": system.slug,
        "title": "Accounts",
        "cadence": "quarterly",
        "controls": controls,
    }
    answer = client.post("/api/v1/asks/", joined, content_type="application/json")
    assert answer.status_code == 201
    body = {
        "row": [str(row.uuid) for row in rows],
        "title": "Accounts and content",
        "cadence": "quarterly",
        "purpose": "operation",
        "from_day": str(TODAY),
        f"line_{rows[0].uuid}": "The list of what is public",
    }
    url = reverse("evidence:join_preview", args=[system.slug])
    answer = client.post(url, body)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "somebody joined or ended them" in page
    assert "Accounts and content" in page and "The list of what is public" in page


def test_r17_taken_out_on_the_day_it_was_joined_leads_to_a_page(client, moderate):
    """R17: nothing is left of the ask then; its officer is shown what is asked."""
    system, oscar = moderate
    client.force_login(oscar)
    assert client.post(reverse("evidence:join_asks", args=[system.slug])).status_code
    ask = EvidenceRequirement.objects.filter(joined_controls__isnull=False).first()
    rows = [str(row.uuid) for row in ask.joined_controls.all()]
    url = reverse("evidence:ask_split", args=[system.slug, ask.uuid])
    answer = client.post(url, {"rows": rows, "from_day": str(TODAY)}, follow=True)
    assert answer.status_code == 200
    assert "Taken out from that day on." in answer.content.decode()


def test_r11_asks_of_a_new_system_may_begin_joined(moderate):
    """R11: what templates ask stands under one ask each from the beginning."""
    system, oscar = moderate
    joined = burden_on(system, TODAY).joined
    RequirementControl.objects.filter(system=system).delete()
    ask_for_all(system, by=oscar, since=TODAY, joined=True)
    assert burden_on(system, TODAY).now == joined
    row = factories.requirement(system, "au-9")
    (held,) = row.ask.terms.all()
    assert (held.joined, held.title) == (row.joined, "Log settings and samples")
    assert row.what_it_shows.startswith("Who may delete")
