"""Facts made from rows: what the statements of `gather_sql` return, as values."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from controls.models.implementations import worst_of
from controls.responsibility.rulings import PARTIES
from evidence.status.aws_from_rows import AwsSide
from evidence.status.facts import (
    ApplicabilityFacts,
    AskFacts,
    ControlFacts,
    LinkFacts,
    PeriodFacts,
    PopulationFacts,
    RequirementFacts,
    RequirementHistory,
)
from evidence.status.not_gathered import not_gathered
from evidence.status.rows import Row, as_json

NO_END = dt.date(9999, 12, 31)
# Of controls that nobody has called otherwise.
APPLICABLE = ApplicabilityFacts(
    requested=False, approved=False, basis_changed=False, review_by=None
)


def _parties(row: Row) -> frozenset[str]:
    return PARTIES.get(row["responsibility"] or "unclassified", frozenset())


def _applicability(row: Row) -> ApplicabilityFacts:
    if row["na_state"] is None:
        return APPLICABLE
    approved = row["na_state"] == "approved"
    return ApplicabilityFacts(
        requested=row["na_state"] == "requested",
        approved=approved,
        basis_changed=approved and row["na_void"],
        review_by=row["na_review_by"],
    )


def control_facts(
    row: Row,
    requirements: list[Row],
    supplementary: int,
    aws: AwsSide,
    events: Mapping[int, list[PopulationFacts]],
) -> ControlFacts:
    """A control on a day; `requirements` are their rows, `supplementary` the
    number of its accepted links without one."""
    parties = _parties(row)
    parts = {} if row["part_statuses"] == "{}" else as_json(row["part_statuses"])
    return ControlFacts(
        control_id=row["ref_id"],
        responsibility=row["responsibility"] or "unclassified",
        aws_required="aws" in parties,
        customer_required="customer" in parties,
        override_expired=row["source"] == "override-expired",
        implementation_status=row["implementation_status"],
        worst_part=worst_of(parts.values()) if parts else None,
        alternative_approved=row["alternative_approved"],
        applicability=_applicability(row),
        requirements=tuple(
            _requirement_facts(requirement, events.get(requirement["id"], ()))
            for requirement in requirements
        ),
        aws=aws.facts(row["control_id"], frozenset({row["basis_id"] or ""}))
        if "aws" in parties
        else None,
        supplementary=supplementary,
        **not_gathered(ControlFacts),
    )


def requirement_terms(row: Row) -> AskFacts:
    """What a requirement asks."""
    return AskFacts(**_terms(row))


def _terms(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "title": row["title"],
        "cadence": row["cadence"],
        "operates_from": row["operates_from"],
        "operates_until": row["operates_until"],
        "purpose": row["purpose"],
        "grace_days": row["grace_days"],
        "lead_days": row["lead_days"],
    }


def _requirement_facts(row: Row, events: Sequence[PopulationFacts]) -> RequirementFacts:
    return RequirementFacts(
        **_terms(row),
        latest_accepted=link_facts(row) if row["link_id"] else None,
        submitted=row["submitted"] or 0,
        newer_rejected=bool(row["newer_rejected"]),
        population=counting(events),
    )


def populations(
    requirements: Iterable[Row], rows: Iterable[Row]
) -> Mapping[int, list[PopulationFacts]]:
    """Rows of populations as facts, of requirements that ask per event by then."""
    per_event = {
        requirement["id"]
        for requirement in requirements
        if requirement["cadence"] == "per-event"
    }
    by_requirement: defaultdict[int, list[PopulationFacts]] = defaultdict(list)
    for row in rows:
        if row["requirement_id"] in per_event:
            by_requirement[row["requirement_id"]].append(_population_facts(row))
    return by_requirement


def _population_facts(row: Row) -> PopulationFacts:
    return PopulationFacts(
        starts=row["starts"],
        ends=row["ends"],
        rows=row["rows"],
        state=row["state"],
        sample=row["items"] if row["sampled_on"] else None,
        proven=row["proven"],
        waiting=row["waiting"],
        deviations=row["deviations"],
        open=row["still_open"],
        newer=None,
        sampled_on=row["sampled_on"],
        drawn_on=row["drawn_on"],
        uuid=str(row["uuid"]),
    )


def counting(events: Sequence[PopulationFacts]) -> PopulationFacts | None:
    """The newest accepted population, else the newest; `events` are oldest first."""
    accepted = [population for population in events if population.state == "accepted"]
    if not accepted:
        return events[-1] if events else None
    newest = events[-1].state
    return replace(accepted[-1], newer=None if newest == "accepted" else newest)


def link_facts(row: Row) -> LinkFacts:
    """An accepted link with the proof it stands for."""
    return LinkFacts(
        link=row["link"],
        evidence=row["evidence"],
        performed_on=row["starts"],
        ends=None if row["ends"] == NO_END else row["ends"],
        occurrence=row["occurrence"],
        collected_on=row["collected_on"],
        title=row["evidence_title"],
    )


def period_facts(
    row: Row, held: list[Row], histories: list[RequirementHistory], aws: AwsSide
) -> PeriodFacts:
    """A control over a window; `held` are the decisions in force on days of it."""
    parties = frozenset().union(*(_parties(decision) for decision in held))
    digests = frozenset(decision["basis_id"] for decision in held)
    return PeriodFacts(
        control_id=row["ref_id"],
        responsibility=row["responsibility"] or "unclassified",
        aws_required="aws" in parties,
        customer_required="customer" in parties or not held,
        applicability=_applicability(row),
        requirements=tuple(histories),
        aws=aws.facts(row["control_id"], digests) if "aws" in parties else None,
    )
