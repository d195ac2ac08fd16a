"""AZ-03, AC-01: no refusal tells who has an account, or what other systems hold.

Whoever is named as collector, as the person or team asked, or as evidence, control or
requirement of another system: the answer is the same as for what there is not.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from controls.models import Membership, Role
from evidence.models import RequirementControl
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file, give
from tests.one_day import BEGINS
from tests.verbs import states
from tests.verbs.matrix import contents
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
# In no system, in another one, here with a closed account, here until yesterday.
STRANGERS = ("nobody", "zoe", "gone", "former")
DAYS = {"performed_on": str(TODAY), "period_start": str(TODAY.replace(day=1)),
        "period_end": str(TODAY), "collected_on": str(TODAY)}  # fmt: skip


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    for name in STRANGERS[1:]:
        built.people[name] = houses.person(name)
    give(built, "gone", Role.CONTRIBUTOR, team=built.team)
    built.gone.is_active = False
    built.gone.save(update_fields=["is_active"])
    give(built, "former", Role.CONTRIBUTOR, team=built.team)
    former = Membership.objects.filter(user=built.former)
    former.update(ends_at=BEGINS - DAY / 48)
    abroad = factories.make_team("Abroad")
    other = factories.make_system(built.zoe, slug="elsewhere", team=abroad)
    factories.give_role(built.zoe, other, Role.CONTRIBUTOR, team=abroad)
    return built


def answers(client: Any, posts: list[tuple[str, dict[str, Any]]], key: str) -> set[Any]:
    """Status and words of the field in each answer; none of them wrote anything."""
    before = contents()
    given = set()
    for address, body in posts:
        form = {} if "files" in body else {"content_type": "application/json"}
        answer = client.post(address, body, **form)
        found = answer.json()
        given.add((answer.status_code, str(found.get("errors", {}).get(key, found))))
    assert contents() == before
    return given


def test_who_collected_it_is_not_told(client, house) -> None:
    client.force_login(house.alice)
    asked = str(house.requirement().uuid)
    link = states.link(house, "submitted")
    new, revised = [], []
    for name in STRANGERS:
        named = DAYS | {"collected_by": f"{name}@example.test"}
        body = named | {"requirement": asked, "title": "T", "files": [file()]}
        new.append(("/api/v1/evidence/", body))
        why = {"kind": "correction", "reason": "Signed.", "files": [file()]}
        revised.append((f"/api/v1/evidence/{link.uuid}/revise/", named | why))
    said = {(400, "['Nobody of that name or address has a role in this system.']")}
    assert answers(client, new, "collected_by") == said
    assert answers(client, revised, "collected_by") == said


def test_the_form_offers_nobody_else_as_collector(client, house) -> None:
    client.force_login(house.alice)
    address = f"/systems/shop/requirements/{house.requirement().uuid}/upload/"
    offered = client.get(address).context["form"].fields["collected_by"].queryset
    names = {person.email.partition("@")[0] for person in offered}
    assert {"alice", "rita"} <= names
    assert not names & set(STRANGERS)
    errors = set()
    for key in (house.zoe.pk, house.gone.pk, house.former.pk, 999_999):
        body = DAYS | {"title": "T", "sensitivity": "internal", "files": [file()]}
        page = client.post(address, body | {"collected_by": key})
        errors.add((page.status_code, str(page.context["form"].errors)))
    assert len(errors) == 1


def test_who_is_asked_is_not_told(client, house) -> None:
    client.force_login(house.olivia)
    body = {"system": "shop", "control_ids": ["cm-8"], "title": "Show",
            "due_on": str(TODAY + 5 * DAY)}  # fmt: skip
    people = [
        body | {"team": "platform", "person": f"{name}@example.test"}
        for name in STRANGERS
    ]
    teams = [body | {"team": slug} for slug in ("none-such", "abroad")]
    posts = [("/api/v1/requests/", each) for each in people]
    assert len(answers(client, posts, "person")) == 1
    posts = [("/api/v1/requests/", each) for each in teams]
    assert len(answers(client, posts, "team")) == 1


def test_what_another_system_asks_or_holds_is_not_told(client, house) -> None:
    """As if it were not there, whether it is there or not."""
    client.force_login(house.alice)
    foreign = RequirementControl.objects.filter(system__slug="elsewhere")[0]
    here = str(house.requirement().uuid)
    link = states.link(house, "submitted")
    request = states.request(house, "open")
    new, attached, answered = [], [], []
    for named in (str(foreign.uuid), str(uuid.uuid4())):
        body = DAYS | {"title": "T"}
        new.append(
            ("/api/v1/evidence/", body | {"requirement": named, "files": [file()]})
        )
        also = body | {"requirement": here, "also": [named], "files": [file()]}
        new.append(("/api/v1/evidence/", also))
        attached.append(
            (f"/api/v1/evidence/{link.uuid}/attach/", {"requirement": named})
        )
        answered.append(
            (f"/api/v1/requests/{request.uuid}/answer/", {"evidence": [named]})
        )
    assert {status for status, _ in answers(client, new, "")} == {404}
    assert {status for status, _ in answers(client, attached, "")} == {404}
    assert len(answers(client, answered, "evidence")) == 1
