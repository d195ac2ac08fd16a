"""R33: the gatherer supplies every fact that is judged, or the list says why not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import inspect
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    ControlImplementation,
    ImplementationStatement,
    ResponsibilityDecision,
    RetrospectiveChange,
    System,
    SystemComponent,
    User,
)
from controls.responsibility import derive
from evidence.models import (
    ArtifactVersion,
    Disposition,
    DispositionDecision,
    EvidenceLink,
    FailingObservation,
    Finding,
    LinkState,
    Proof,
    RemarkAnswer,
    RemarkDecision,
    ReportRemark,
    RequirementControl,
    RequirementTerms,
    Review,
)
from evidence.status import facts
from evidence.status.gather import Moment, gather
from evidence.status.gather_window import gather_period
from evidence.status.not_gathered import NOT_GATHERED
from tests import factories
from tests.evidence.reviews.hands import accepted
from tests.evidence.status.neutral import NEUTRAL
from tests.evidence.status.test_gathering_agrees import scatter, scatter_events
from tests.evidence.status.test_gathering_aws_half import scatter_reports
from tests.one_day import TODAY

DAY = dt.date(2026, 9, 15)
START = dt.date(2025, 1, 1)
ONE_DAY = dt.timedelta(days=1)
PAGE = Path(settings.BASE_DIR) / "docs" / "facts.md"
KINDS = [kind for _, kind in inspect.getmembers(facts, dataclasses.is_dataclass)]
Seen = dict[tuple[str, str], list[Any]]


def fields_of(kinds: list[Any]) -> list[Any]:
    return [
        pytest.param(kind, field, id=f"{kind.__name__}.{field.name}")
        for kind in kinds
        for field in dataclasses.fields(kind)
    ]


INPUTS = [derive.LayerParty, derive.ComponentInUse, derive.BasisRow]


@pytest.mark.parametrize(("kind", "field"), fields_of([*KINDS, *INPUTS]))
def test_no_fact_has_a_default(kind, field):
    """R33: what nobody says cannot be judged as if somebody had said it."""
    assert field.default is dataclasses.MISSING
    assert field.default_factory is dataclasses.MISSING


def test_every_kind_of_facts_is_held_against_something_neutral():
    inherited = {facts.AskFacts}  # its fields are those of RequirementFacts
    assert set(KINDS) - inherited == set(NEUTRAL)


def seen_in(value: Any, seen: Seen) -> None:
    """Every value of every field within some facts, by class and name."""
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            seen_in(part, seen)
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            part = getattr(value, field.name)
            seen[type(value).__name__, field.name].append(part)
            seen_in(part, seen)


def rich(system: System, oscar: User, rita: User, seed: int) -> None:
    """Something of every kind that the product records, in one system."""
    System.objects.filter(pk=system.pk).update(
        partition="aws-us-gov", currency_days=60, letter_months=6
    )
    system.refresh_from_db()
    scatter(system, oscar, seed)
    scatter_events(system, oscar, rita, seed)
    scatter_reports(system, oscar, seed)
    terms = RequirementControl.objects.filter(system=system)
    factories.set_terms(
        terms,
        operates_until=dt.date(2027, 1, 1),
        purpose="design",
        grace_days=9,
        lead_days=4,
        population_cadence="monthly",
    )
    ArtifactVersion.objects.update(opinion="qualified", impact_level="high")
    revoked = ArtifactVersion.objects.order_by("pk")[0]
    ArtifactVersion.objects.filter(pk=revoked.pk).update(state="revoked", ended_on=DAY)
    revoked.artifact.__class__.objects.update(type1=True, responsibility_summary=True)
    component = SystemComponent.objects.filter(system=system).order_by("pk")[0]
    SystemComponent.objects.filter(pk=component.pk).update(
        used_until=dt.date(2027, 6, 1)
    )
    rows = list(system.implementations.select_related("decision").order_by("pk"))
    _remarked(system, oscar, rita)
    _described(rows, oscar, rita)
    _excluded(rows, oscar, rita)
    _supplementary(rows[0], oscar)
    _confirmed(system, rita)
    _seen_to_fail(rows, oscar, rita)
    factories.make_engagement(system)
    _changed_in_retrospect(rows[2], oscar, rita)


def _remarked(system: System, oscar: User, rita: User) -> None:
    """Every report leaves somebody out, has exceptions, and expects something of us."""
    controls = list(system.implementations.values_list("control__ref_id", flat=True))
    answers = {
        "Landlord": ("subservice", "provider"),
        "Guards": ("subservice", "not-needed"),
        "Answered": ("exception", "response"),
        "Open": ("exception", ""),
        "Expected": ("user-control", ""),
    }
    for version in ArtifactVersion.objects.filter(
        artifact__citations__system=system
    ).distinct():
        for title, (kind, choice) in answers.items():
            subservice = kind == "subservice"
            remark = ReportRemark.objects.create(
                artifact_version=version,
                registered_by=oscar,
                kind=kind,
                title=title,
                provider_slug=title.lower() if subservice else "",
                layers=["facilities", "hardware"] if subservice else [],
                control_ids=[] if subservice else controls,
            )
            if choice:
                _answered(remark, choice, system, rita)


def _answered(remark: ReportRemark, choice: str, system: System, rita: User) -> None:
    third = User.objects.get_or_create(email="third@example.org")[0]
    answer = RemarkAnswer.objects.create(
        remark=remark,
        system=system,
        answered_by=rita,
        choice=choice,
        text="Read.",
        answered_on=DAY,
    )
    RemarkDecision.objects.create(
        answer=answer,
        system=system,
        reviewer=third,
        answered_by=rita,
        registered_by_id=remark.registered_by_id,
        decision="accept",
        decided_on=DAY,
    )


def _met_otherwise(row: ControlImplementation, oscar: User, rita: User) -> None:
    AlternativeImplementation.objects.create(
        implementation=row,
        requested_by=oscar,
        decided_by=rita,
        constraint="No agent runs there",
        objective="Malware is found",
        residual_risk="A day's delay",
        requirement_uuids=[row.uuid],
        starts_on=START,
        review_by=dt.date(2027, 1, 1),
        requested_on=START,
        state="approved",
    )


def _described(rows: list[ControlImplementation], oscar: User, rita: User) -> None:
    ImplementationStatement.objects.filter(implementation__in=rows).update(
        days=(dt.date(2025, 6, 1), dt.date(2027, 6, 1)), part_statuses={"a": "partial"}
    )
    _met_otherwise(rows[0], oscar, rita)
    expired = rows[-1].decision
    assert expired
    ResponsibilityDecision.objects.create(
        implementation=rows[-1],
        basis=expired.basis,
        reference_version=expired.reference_version,
        responsibility="shared",
        source="override-expired",
        effective=(dt.date(2026, 9, 1), None),
    )


def _excluded(rows: list[ControlImplementation], oscar: User, rita: User) -> None:
    other = next(
        row.decision.basis
        for row in rows
        if row.decision
        and rows[0].decision
        and row.decision.basis_id != rows[0].decision.basis_id
    )
    for row, state in zip(rows[:2], ("approved", "requested"), strict=True):
        ApplicabilityDecision.objects.create(
            implementation=row,
            basis=other,
            requested_by=oscar,
            decided_by=rita if state == "approved" else None,
            justification="None here",
            review_by=dt.date(2027, 1, 1),
            state=state,
        )


def _supplementary(row: ControlImplementation, by: User) -> None:
    asked = RequirementControl.objects.filter(implementation=row).first()
    asked = asked or RequirementControl.objects.filter(system=row.system)[0]
    link = factories.make_evidence(
        asked, by=by, performed_on=dt.date(2026, 3, 1), title="Further"
    )
    accepted(link)
    EvidenceLink.objects.filter(pk=link.pk).update(requirement=None, occurrence=None)
    link.refresh_from_db()
    Proof.objects.follow(link)


def _confirmed(system: System, by: User) -> None:
    """Somebody found the days in every second thing that was brought late."""
    accepted = EvidenceLink.objects.filter(system=system, state=LinkState.ACCEPTED)
    for link in accepted.select_related("revision").order_by("pk")[::2]:
        review = Review.of(link, decision="accept", by=by, reason="")
        review.day_confirmed, review.day_shown_by = True, "Ticket"
        review.save(force_insert=True)


def _seen_to_fail(rows: list[ControlImplementation], oscar: User, rita: User) -> None:
    """One control was seen to fail; another one's findings are closed and open."""
    of = {"recorded_by": oscar, "source": "Test", "text": "It failed."}
    for row in rows:
        FailingObservation.objects.create(
            system=row.system, implementation=row, observed_on=START, **of
        )
    made = {"title": "Gap", "severity": "low", "found_on": START}
    accepted = EvidenceLink.objects.filter(state=LinkState.ACCEPTED, half="customer")
    for row in rows:
        link = accepted.filter(implementation=row).first()
        if link is None:
            continue
        finding = Finding.objects.create(
            system=row.system, implementation=row, **made, **of
        )
        disposition = Disposition.objects.create(
            system=row.system,
            finding=finding,
            requested_by=oscar,
            kind="closure",
            text="Mended.",
            link=link,
            requested_on=START,
        )
        DispositionDecision.objects.create(
            disposition=disposition,
            system=row.system,
            reviewer=User.objects.get(email="third@example.org"),
            requested_by=oscar,
            recorded_by=oscar,
            decision="accept",
            decided_on=TODAY,
        )


def _changed_in_retrospect(row: ControlImplementation, oscar: User, rita: User) -> None:
    """A control is left out; then what it is asked is changed from April on."""
    _left_out(row, oscar, rita)
    change = RetrospectiveChange.objects.create(
        system=row.system,
        requested_by=oscar,
        decided_by=rita,
        kind="terms",
        reason="The auditor asks for less.",
        first_day=dt.date(2026, 4, 1),
        requested_on=dt.date(2026, 9, 1),
        state="approved",
        decided_at=dt.datetime(2026, 9, 2, tzinfo=dt.UTC),
    )
    for terms in RequirementTerms.objects.filter(ask__controls__implementation=row):
        RequirementTerms.objects.filter(pk=terms.pk).update(
            days=(None, change.first_day)
        )
        terms.pk, terms.days, terms.change = None, (change.first_day, None), change
        terms.cadence = "half-yearly"
        terms.save(force_insert=True)


def _left_out(row: ControlImplementation, oscar: User, rita: User) -> None:
    ApplicabilityDecision.objects.create(
        implementation=row,
        basis=row.decision.basis,
        requested_by=oscar,
        decided_by=rita,
        justification="None here",
        starts_on=dt.date(2026, 2, 1),
        ended_on=dt.date(2026, 3, 1),
        review_by=dt.date(2027, 1, 1),
        absent_layers=[],
        state="ended",
    )


@pytest.mark.django_db
def test_the_gatherer_supplies_each_fact_or_it_stands_on_the_list(oscar, rita):
    """R33: each field is met with another value than the neutral one."""
    seen: Seen = defaultdict(list)
    for seed in range(2):
        system = factories.make_system(
            oscar, slug=f"rich-{seed}", team=factories.make_team(f"Team {seed}")
        )
        factories.give_role(rita, system, "reviewer")
        rich(system, oscar, rita, seed)
        pks = list(system.implementations.values_list("pk", flat=True))
        seen_in(gather(system, pks, Moment(DAY)).facts, seen)
        seen_in(gather(system, pks, Moment(TODAY)).facts, seen)
        period = gather_period(system, pks, START, DAY - ONE_DAY, Moment(DAY))
        seen_in(period, seen)
    listed = {(row.facts.__name__, row.name): row.value for row in NOT_GATHERED}
    unmet = {
        (kind.__name__, field.name)
        for kind in NEUTRAL
        for field in dataclasses.fields(kind)
        if all(
            value == NEUTRAL.get(kind, {}).get(field.name, "")
            for value in seen[kind.__name__, field.name]
        )
    }
    print(*map(".".join, sorted(listed)), sep="\n")  # noqa: T201 - R33: printed
    assert unmet == set(listed)
    for place, value in listed.items():
        assert set(seen[place]) == {value}


def test_the_list_stands_in_the_documents():
    """R33: readers find what a verdict does not take into account yet."""
    text = PAGE.read_text()
    for row in NOT_GATHERED:
        line = f"| `{row.facts.__name__}.{row.name}` | `{row.value}` | {row.source} |"
        assert line in text
    assert text.count("\n| `") == len(NOT_GATHERED)
