"""R11 to R14, R18, R31, R32: what each verb of what is asked answers from each state.

What is asked of one control, and an ask that names several.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import RetrospectiveChange, Role
from controls.retrospect import approve
from evidence.bulk_acts.act import sealed_choice
from evidence.bulk_acts.acts import ACTS
from evidence.models import EvidenceRequirement, RequirementControl
from evidence.requirements.changes import NewTerms, add_requirement, change_requirement
from evidence.requirements.join_checks import AskTerms, NamedControl
from evidence.requirements.joined import rows_from, rows_under
from evidence.requirements.joining import join, join_to, split
from evidence.requirements.retiring import retire_requirement
from evidence.requirements.terms import terms_on
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, give
from tests.one_day import BEGINS
from tests.sign_ins import sign_in_just_now
from tests.verbs import states
from tests.verbs.matrix import Attempt, Row, rows_of, wrong_cells
from tests.verbs.states import DAY

pytestmark = pytest.mark.django_db
SENTENCES = {
    "stale": "Somebody changed this requirement since you opened it.",
    "admin-stale": "This changed since you opened it.",
    "gone": "There is no such",
    "over": "This is no longer asked from 2026-11-23 on.",
    "ends": "This already ends on",
    "before": "Operation must end after it starts.",
    "together": "stands under an ask with others: take it out of that first.",
    "joined-meanwhile": "Some of these asks do not stand alone any more",
    "stated-later": "Other terms are stated from 2026-12-02 on",
    "join-later": "CM-8 is asked in another way from 2026-12-02 on",
    "not-asked": "CM-8 is no longer asked on 2026-11-23.",
    "not-then": "Not all of these controls stand under this ask on",
    "not-now": "One of these controls does not stand under this ask any more.",
    "no-control": "This ask names no control on 2026-11-23.",
    "already": "is one of its controls already.",
    "asked-for": "Oscar has already asked for this.",
    "row-stale": "Somebody changed what is asked of AC-1 since you opened it.",
    "nothing": "This preview is too old.",
}
# A cell says how often it is asked, what else is so of it, and how much waits.
ROWS = """
verb           door   asked                later                             joined                       ending                        ended                         waiting                        companion
reword         page   =monthly, reworded   =monthly, reworded                =monthly, reworded, joined   =monthly, reworded, until 9   422 over                      =monthly, reworded, 1 waiting  =monthly, reworded
reword         api    =monthly, reworded   =monthly, reworded                =monthly, reworded, joined   =monthly, reworded, until 9   400 over                      =monthly, reworded, 1 waiting  =monthly, reworded
reword         admin  =monthly, reworded   302 stated-later                  =monthly, reworded, joined   =monthly, reworded, until 9   302 over                      =monthly, reworded, 1 waiting  =monthly, reworded
reword stale   page   409 stale            409 stale                         409 stale                    409 stale                     409 stale                     409 stale                      409 stale
reword stale   api    412 stale            412 stale                         412 stale                    412 stale                     412 stale                     412 stale                      412 stale
reword stale   admin  =monthly             =monthly, then weekly             =monthly, joined             =monthly, until 9             =monthly, until 0             =monthly, 1 waiting            =monthly
reword ended   page   404 gone             404 gone                          404 gone                     404 gone                      404 gone                      404 gone                       404 gone
reword ended   api    404 gone             404 gone                          404 gone                     404 gone                      404 gone                      404 gone                       404 gone
same           page   =monthly             =monthly, then weekly             =monthly, joined             =monthly, until 9             =monthly, until 0             =monthly, 1 waiting            =monthly
same           api    =monthly             =monthly, then weekly             =monthly, joined             =monthly, until 9             =monthly, until 0             =monthly, 1 waiting            =monthly
often          page   =weekly              =weekly                           =weekly, joined              =weekly, until 9              422 over                      =weekly, 1 waiting             =weekly
often          api    =weekly              =weekly                           =weekly, joined              =weekly, until 9              400 over                      =weekly, 1 waiting             =weekly
often          bulk   =weekly              409 nothing                       =weekly, joined              =weekly, until 9              409 nothing                   =weekly, 1 waiting             =weekly
team           bulk   =monthly, of Data    409 nothing                       =monthly, joined, of Data    =monthly, of Data, until 9    409 nothing                   =monthly, of Data, 1 waiting   =monthly, of Data
long           page   =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  =monthly, until 9, 1 waiting  422 over                      =monthly, 2 waiting            =monthly, 1 waiting
long           api    =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  =monthly, until 9, 1 waiting  400 over                      =monthly, 2 waiting            =monthly, 1 waiting
once           api    =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  =monthly, until 9, 1 waiting  400 over                      =monthly, 2 waiting            =monthly, 1 waiting
back           page   =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  =monthly, until 9, 1 waiting  =monthly, until 0, 1 waiting  =monthly, 2 waiting            =monthly, 1 waiting
back           api    =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  =monthly, until 9, 1 waiting  =monthly, until 0, 1 waiting  =monthly, 2 waiting            =monthly, 1 waiting
retire         page   =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  409 ends                      409 ends                      =monthly, 2 waiting            =monthly, until 5
retire         api    =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  409 ends                      409 ends                      =monthly, 2 waiting          =monthly, until 5
retire back    api    =monthly, 1 waiting  =monthly, then weekly, 1 waiting  =monthly, joined, 1 waiting  409 ends                      409 ends                      =monthly, 2 waiting            =monthly, 1 waiting
retire before  page   422 before           422 before                        422 before                   409 ends                      409 ends                      422 before                     422 before
join           page   =monthly, joined     422 join-later                    409 joined-meanwhile         =monthly, joined, until 9     409 joined-meanwhile          =monthly, joined, 1 waiting    =monthly, joined
join           api    =monthly, joined     400 join-later                    400 together                 =monthly, joined, until 9     400 not-asked                 =monthly, joined, 1 waiting    =monthly, joined
"""  # noqa: E501 - one line for each verb and door
# A cell says which rows stand under the ask today, which later, and how much waits.
ASKS = """
verb           door  standing               to-come                           one-left          emptied           undone            waiting                     retired
add row        page  =ac-1+cm-8+si-2        409 no-control                    =ac-1+cm-8        409 no-control    404 gone          =ac-1+cm-8+si-2, 1 waiting  =ac-1+si-2
add row old    page  409 row-stale          409 row-stale                     409 row-stale     409 row-stale     404 gone          409 row-stale               409 row-stale
add control    page  =ac-1+cm-8+si-2        409 no-control                    =ac-1+cm-8        409 no-control    404 gone          =ac-1+cm-8+si-2, 1 waiting  =ac-1+si-2
add control    api   =ac-1+cm-8+si-2        409 no-control                    =ac-1+cm-8        409 no-control    409 no-control    =ac-1+cm-8+si-2, 1 waiting  =ac-1+si-2
add same       page  422 already            409 no-control                    422 already       409 no-control    404 gone          422 already                 =cm-8+si-2
add same       api   400 already            409 no-control                    400 already       409 no-control    409 no-control    400 already                 =cm-8+si-2
split          page  =si-2                  409 not-then                      =none             409 not-then      404 gone          =si-2, 1 waiting            422 not-now
split          api   =si-2                  409 not-then                      =none             409 not-then      409 not-then      =si-2, 1 waiting            409 not-then
split back     page  =cm-8+si-2, 1 waiting  409 not-then                      =cm-8, 1 waiting  =none, 1 waiting  404 gone          409 asked-for               422 not-now
split back     api   =cm-8+si-2, 1 waiting  409 not-then                      =cm-8, 1 waiting  =none, 1 waiting  409 not-then      409 asked-for               =si-2, 1 waiting
split all      page  =none                  409 not-then                      422 not-now       409 not-then      404 gone          =none, 1 waiting            422 not-now
approve split  page  -                      -                                 -                 -                 -                 =si-2                       -
retire row     api   =cm-8+si-2, 1 waiting  =none, then cm-8+si-2, 1 waiting  =cm-8, 1 waiting  =none, 1 waiting  =none, 1 waiting  =cm-8+si-2, 2 waiting       409 ends
"""  # noqa: E501 - one line for each verb and door


@dataclass
class Case:
    """What is asked of CM-8, and (where it stands under one) the ask."""

    house: House
    row: RequirementControl
    other: RequirementControl
    ask: EvidenceRequirement | None = None
    third: RequirementControl | None = None


@pytest.fixture
def house(settings, tmp_path) -> House:
    built = states.build(settings, tmp_path)
    built.people["ended"] = houses.person("ended")
    give(built, "ended", Role.OFFICER, ends_at=BEGINS - DAY / 48)
    built.requirement("si-2")
    return built


def changed(row: RequirementControl, by: Any, **terms: Any) -> Any:
    how = {"from_day": terms.pop("from_day", None), "reason": terms.pop("reason", "")}
    said = replace(NewTerms.stated_by(row), **terms)
    return change_requirement(row, said, version=None, by=by, today=TODAY, **how)


def joined(house: House, *rows: RequirementControl) -> EvidenceRequirement:
    made = join(
        house.system,
        AskTerms("Both", "monthly", "operation", owner_team=house.team),
        [NamedControl(row.uuid, "The list.") for row in rows],
        from_day=TODAY,
        by=house.oscar,
        today=TODAY,
    )
    assert isinstance(made, EvidenceRequirement)
    return made


def made(house: House, state: str) -> Case:
    """What is asked of CM-8, that stands there."""
    row, other = house.requirement(), house.requirement("si-2")
    case = Case(house, row, other)
    if state == "later":
        changed(
            row,
            house.oscar,
            cadence="weekly",
            grace_days=None,
            from_day=TODAY + 9 * DAY,
        )
    if state == "joined":
        case.ask = joined(house, row, other)
    if state in {"ending", "ended", "companion"}:
        more = NewTerms("More", "monthly", "operation", operates_from=row.operates_from)
        add_requirement(row.implementation, more, by=house.oscar)
    if state in {"ending", "ended"}:
        until = TODAY + (9 * DAY if state == "ending" else 0 * DAY)
        done = retire_requirement(
            row, until=until, reason="No.", by=house.oscar, today=TODAY
        )
        assert done is None
    if state == "waiting":
        changed(
            row,
            house.oscar,
            cadence="yearly",
            grace_days=None,
            from_day=TODAY - 40 * DAY,
            reason="Since.",
            rarer_because="It is.",
        )
    row.refresh_from_db()
    other.refresh_from_db()
    return case


def state_of(case: Case) -> str:
    row = case.row
    row.refresh_from_db()
    words = [terms_on(row.ask, TODAY).cadence]
    later = terms_on(row.ask, TODAY + 20 * DAY).cadence
    if later != words[0]:
        words.append(f"then {later}")
    if terms_on(row.ask, TODAY).title == "New words":
        words.append("reworded")
    if row.joined_id:
        words.append("joined")
    if terms_on(row.ask, TODAY).owner_team == case.house.other_team:
        words.append("of Data")
    if row.operates_until:
        words.append(f"until {(row.operates_until - TODAY).days}")
    waiting = RetrospectiveChange.objects.waiting().count()
    if waiting:
        words.append(f"{waiting} waiting")
    return ", ".join(words)


def attempt(row: Row, case: Case) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    house, asked = case.house, case.row
    by = states.person(house, "ended" if how == "ended" else "oscar")
    if row.door == "admin":
        return _in_admin(case, how)
    if row.door == "bulk":
        return _of_many(case, verb, by)
    if verb == "retire":
        until = TODAY + {"": 5, "back": -9, "before": -4000}[how] * DAY
        body = {"until": str(until), "reason": "It goes."}
        if row.door == "api":
            address = f"/api/v1/requirements/{asked.uuid}/retire/"
            return Attempt(by, address, body, api=True)
        address = reverse("evidence:requirement_retire", args=["shop", asked.uuid])
        return Attempt(by, address, body)
    if verb == "join":
        return _join(row, case, by)
    body = {
        "title": asked.title,
        "cadence": asked.cadence,
        "purpose": asked.purpose,
        "guidance": asked.guidance,
        "good_proof": asked.good_proof,
        "rarer_because": asked.rarer_because,
        "what_it_shows": asked.what_it_shows,
        "operates_from": str(asked.operates_from),
        "grace_days": asked.grace_days,
        "reason": "Agreed.",
    }
    if asked.owner_team:
        team = asked.owner_team
        body["owner_team"] = team.slug if row.door == "api" else team.pk
    if verb == "reword":
        body["title"] = "New words"
    if verb == "often":
        body["cadence"] = "weekly"
        del body["grace_days"]
    if verb == "long":
        body["grace_days"] = 25
    if verb == "once":
        body |= {"cadence": "once", "grace_days": 5, "rarer_because": "Enough."}
    if verb == "back":
        body |= {"title": "New words", "from_day": str(TODAY - 40 * DAY)}
    version = asked.version - 1 if how == "stale" else asked.version
    if row.door == "api":
        tag = {"If-Match": f'"{asked.uuid}:{version}"'}
        address = f"/api/v1/requirements/{asked.uuid}/"
        return Attempt(by, address, body, api=True, headers=tag, method="put")
    address = reverse("evidence:requirement_edit", args=["shop", asked.uuid])
    body = {name: value for name, value in body.items() if value is not None}
    return Attempt(by, address, body | {"version": version})


def _in_admin(case: Case, how: str) -> Attempt:
    asked = case.row
    address = reverse("admin:evidence_requirementcontrol_change", args=[asked.pk])
    body = {
        "title": "New words",
        "guidance": asked.guidance,
        "owner_team": asked.owner_team_id or "",
        "lead_days": asked.lead_days or "",
        "seen_version": asked.version - (how == "stale"),
    }
    return Attempt(factories.administrator(), address, body)


def preview_of_many(case: Case, verb: str, by: Any) -> Any:
    """What the preview of an act on this one shows."""
    name = {"often": "cadence", "team": "team"}[verb]
    back = reverse("evidence:requirements", args=["shop"])
    chosen = sealed_choice(ACTS[name], case.house.system, [case.row.pk], back, by=by)
    client = Client()
    sign_in_just_now(client, by)
    values = {
        "often": {"cadence": "weekly"},
        "team": {"owner_team": case.house.other_team.pk},
    }
    page = reverse("evidence:bulk_act", args=["shop", name])
    return client.post(f"{page}?chosen={chosen}", values[verb]).context


def _of_many(case: Case, verb: str, by: Any) -> Attempt:
    """Confirms the preview of an act on this one; where nothing would change, without
    its token."""
    token = preview_of_many(case, verb, by).get("token", "")
    name = {"often": "cadence", "team": "team"}[verb]
    address = reverse("evidence:bulk_act_confirm", args=["shop", name])
    return Attempt(by, address, {"token": token})


def _join(row: Row, case: Case, by: Any) -> Attempt:
    pair = [case.row, case.other]
    body: dict[str, Any] = {"title": "Both", "cadence": "monthly"}
    if row.door == "api":
        body |= {"system": "shop", "owner_team": "platform"}
        body["controls"] = [
            {
                "requirement": str(asked.uuid),
                "what_it_shows": "The list.",
                "version": asked.version,
            }
            for asked in pair
        ]
        return Attempt(by, "/api/v1/asks/", body, api=True)
    body |= {"purpose": "operation", "from_day": str(TODAY)}
    body |= {"owner_team": case.house.team.pk, "row": [str(r.uuid) for r in pair]}
    for asked in pair:
        body[f"joins_{asked.uuid}"] = "on"
        body[f"line_{asked.uuid}"] = "The list."
        body[f"seen_{asked.uuid}"] = asked.version
    return Attempt(by, reverse("evidence:join_preview", args=["shop"]), body)


def ask_made(house: House, state: str) -> Case:
    """An ask for CM-8 and SI-2 since forty days, that stands there."""
    row, other = house.requirement(), house.requirement("si-2")
    more = NewTerms("More", "monthly", "operation", operates_from=row.operates_from)
    control = factories.implementation(house.system, "ac-1")
    third = add_requirement(control, more, by=house.oscar)
    since = TODAY + (9 if state == "to-come" else 0 if state == "undone" else -40) * DAY
    terms = AskTerms("Both", "monthly", "operation", owner_team=house.team)
    lines = [NamedControl(asked.uuid, "The list.") for asked in (row, other)]
    how: dict[str, Any] = {"by": house.oscar, "today": TODAY, "reason": "Merged."}
    made = join(house.system, terms, lines, from_day=since, **how)
    if isinstance(made, RetrospectiveChange):
        approve(made, by=house.olivia, today=TODAY)
        ask = terms_on(row.ask, TODAY).joined
    else:
        ask = made
    assert ask is not None
    if state in {"one-left", "emptied", "undone"}:
        out = [other.uuid] if state == "one-left" else [row.uuid, other.uuid]
        split(ask, out, from_day=TODAY, **how)
    if state == "waiting":
        split(ask, [row.uuid], from_day=TODAY - 9 * DAY, **how)
    if state == "retired":
        add_requirement(row.implementation, more, by=house.oscar)
        retire_requirement(row, until=TODAY, **how)
    for asked in (row, other, third):
        asked.refresh_from_db()
    return Case(house, row, other, ask, third)


def state_of_ask(case: Case) -> str:
    assert case.ask is not None
    now = [row.implementation.control.ref_id for row in rows_under(case.ask, TODAY)]
    rows = rows_from(case.ask, TODAY)
    later = [row.implementation.control.ref_id for row in rows]
    words = ["+".join(now) or "none"]
    if later != now:
        words.append(f"then {'+'.join(later)}")
    waiting = RetrospectiveChange.objects.waiting().count()
    if waiting:
        words.append(f"{waiting} waiting")
    return ", ".join(words)


def attempt_on_ask(row: Row, case: Case) -> Attempt:
    verb, _, how = row.verb.partition(" ")
    house, ask = case.house, case.ask
    assert ask is not None and case.third is not None
    if verb == "approve":
        change = RetrospectiveChange.objects.latest("pk")
        address = reverse("evidence:retrospective_decide", args=[change.uuid])
        return Attempt(house.olivia, address, {"decision": "approve"})
    if verb == "retire":
        body = {"until": str(TODAY), "reason": "It goes."}
        address = f"/api/v1/requirements/{case.row.uuid}/retire/"
        return Attempt(house.oscar, address, body, api=True)
    if verb == "add":
        body = {"what_it_shows": "The list.", "from_day": str(TODAY)}
        if how.startswith("row"):
            seen = case.third.version - (how == "row old")
            body["row"] = [f"{case.third.uuid}.{seen}"]
        else:
            name = "control_id" if row.door == "api" else "control"
            body[name] = "ac-1" if how == "control" else "cm-8"
        if row.door == "api":
            address = f"/api/v1/asks/{ask.uuid}/controls/"
            return Attempt(house.oscar, address, body, api=True)
        address = reverse("evidence:ask_add", args=["shop", ask.uuid])
        return Attempt(house.oscar, address, body)
    out = [str(case.row.uuid)]
    if how == "all":
        out.append(str(case.other.uuid))
    day = TODAY - (9 * DAY if how == "back" else 0 * DAY)
    body = {"from_day": str(day), "reason": "They differ."}
    if row.door == "api":
        address = f"/api/v1/asks/{ask.uuid}/split/"
        return Attempt(house.oscar, address, body | {"requirements": out}, api=True)
    address = reverse("evidence:ask_split", args=["shop", ask.uuid])
    return Attempt(house.oscar, address, body | {"rows": out})


@pytest.mark.parametrize("row", rows_of(ROWS))
def test_what_each_verb_of_what_is_asked_answers(house, row: Row) -> None:
    wrong = wrong_cells(row, partial(made, house), attempt, state_of, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


@pytest.mark.parametrize("row", rows_of(ASKS))
def test_what_each_verb_of_an_ask_answers(house, row: Row) -> None:
    make = partial(ask_made, house)
    wrong = wrong_cells(row, make, attempt_on_ask, state_of_ask, SENTENCES)
    assert not wrong, "\n".join([str(row), *wrong])


def test_two_officers_agree_on_the_controls_that_they_saw(house) -> None:
    """R32: a control put under an ask while its long grace waits gets none of it."""
    case = ask_made(house, "standing")
    assert case.ask and case.third
    waits = changed(case.row, house.oscar, grace_days=25, reason="A slow firm.")
    client = Client()
    sign_in_just_now(client, house.olivia)
    page = client.get(reverse("evidence:retrospective", args=[waits.uuid]))
    assert "Under the same ask, and changed as well" in page.content.decode()
    assert "SI-2" in page.content.decode()
    line = [NamedControl(case.third.uuid, "The list.")]
    join_to(case.ask, line, from_day=TODAY, by=house.oscar, today=TODAY)
    decide = reverse("evidence:retrospective_decide", args=[waits.uuid])
    answer = client.post(decide, {"decision": "approve"}, follow=True)
    assert "Other controls stand under this ask" in answer.content.decode()
    assert terms_on(case.third.ask, TODAY).grace_days < 25
    waits.refresh_from_db()
    assert waits.state == "requested"


@pytest.mark.parametrize(
    ("verb", "state", "sentence"),
    [
        ("same", "asked", "Nothing was changed: it is asked like this already."),
        ("reword", "asked", "Saved: it is asked as it stands below."),
        ("reword", "later", "Other terms had been stated from 2026-12-02 on."),
        ("reword", "waiting", "A change of it that waits for a second officer"),
        ("retire", "companion", "is no longer asked from 2026-11-28 on."),
        ("retire", "asked", "Nothing is changed yet: a second officer has to decide"),
    ],
)
def test_each_act_says_what_was_done(house, verb, state, sentence) -> None:
    """A change that changed nothing does not say that it was saved, and what one
    replaces is named."""
    asked_by_page = attempt(Row(verb, "page", {}), made(house, state))
    client = Client()
    sign_in_just_now(client, asked_by_page.by)
    answer = client.post(asked_by_page.address, asked_by_page.body, follow=True)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()


@pytest.mark.parametrize("verb", ["often", "team"])
def test_an_act_on_many_replaces_no_terms_stated_for_later(house, verb) -> None:
    """R31: who says of many asks how often, or of whom, says nothing of later days."""
    rows = preview_of_many(made(house, "later"), verb, house.oscar)["rows"]
    assert [row.outcome for row in rows] == ["refused"]
    assert "Other terms are stated from 2026-12-02 on" in rows[0].follows
