"""Facts made from rows: what the statements of `gather_sql` return, as values."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controls.models.implementations import worst_of
from controls.responsibility.rulings import PARTIES
from evidence.status.aws_from_rows import AwsSide, NamedSource
from evidence.status.day_ranges import DAY, EVERY_DAY, Days, subtract, united
from evidence.status.facts import (
    ApplicabilityFacts,
    ControlFacts,
    LinkFacts,
    PopulationFacts,
    RequirementFacts,
    StatedDays,
    TermsFacts,
)
from evidence.status.findings_from_rows import SeenToFail
from evidence.status.not_gathered import not_gathered
from evidence.status.rows import Row, as_json

NO_END = dt.date(9999, 12, 31)
# Of controls that nobody has called otherwise.
APPLICABLE = ApplicabilityFacts(
    requested=False, approved=False, basis_changed=False, review_by=None
)
_NOT_GATHERED = not_gathered(ControlFacts)
_NOTHING_NAMED: frozenset[NamedSource] = frozenset()


@dataclass(frozen=True)
class Answers:
    """What is read of requirements besides their rows, by the key of a requirement.

    `others` are rows of accepted links, where the latest was brought after the day;
    `populations`, `asked_days` and `terms` are of those asked per event.
    """

    others: Mapping[int, list[Row]]
    populations: Mapping[int, list[PopulationFacts]]
    asked_days: Mapping[int, list[Days]]
    terms: Mapping[int, tuple[TermsFacts, ...]]


def parties_of(row: Row) -> frozenset[str]:
    """The parties of the class that a decision names; ours where nobody read it."""
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
    answers: Answers,
    seen_to_fail: SeenToFail,
) -> ControlFacts:
    """A control on a day; `requirements` are their rows, `supplementary` the
    number of its accepted links without one."""
    parties = parties_of(row)
    parts = {} if row["part_statuses"] == "{}" else as_json(row["part_statuses"])
    return ControlFacts(
        control_id=row["ref_id"],
        responsibility=row["responsibility"] or "unclassified",
        aws_required="aws" in parties,
        customer_required="customer" in parties
        or any(requirement["user_control_id"] for requirement in requirements),
        override_expired=row["source"] == "override-expired",
        implementation_status=row["implementation_status"],
        worst_part=worst_of(parts.values()) if parts else None,
        alternative_approved=row["alternative_approved"],
        applicability=_applicability(row),
        requirements=tuple([_requirement_facts(one, answers) for one in requirements]),
        aws=aws.facts(
            row["control_id"],
            frozenset({row["basis_id"] or ""}),
            row["ref_id"],
            named_sources([row["needed_from"]])
            if row["needed_from"]
            else _NOTHING_NAMED,
        )
        if "aws" in parties
        else None,
        type2=row["type2"],
        supplementary=supplementary,
        cuec_open=_user_controls_open(row, requirements, aws),
        findings=seen_to_fail.findings,
        contradicted=seen_to_fail.contradicted,
        **_NOT_GATHERED,
    )


def named_sources(sources: Iterable[str]) -> frozenset[NamedSource]:
    """What overrides need AWS's half from on a day, on every day; none named: none."""
    return frozenset((name, *EVERY_DAY) for name in sources if name)


def _user_controls_open(row: Row, requirements: list[Row], aws: AwsSide) -> int:
    """Controls that reports expect of us and that nothing asks for here, or that
    nothing accepted has shown yet (R26)."""
    duties = [r for r in requirements if r["user_control_id"]]
    expected = aws.expected_of_us(row["control_id"], row["ref_id"])
    if not duties and not expected:
        return 0
    named = {aws.user_controls.get(r["user_control_id"]) for r in duties}
    return len(expected - named) + sum(1 for r in duties if not r["link_id"])


def _requirement_facts(row: Row, answers: Answers) -> RequirementFacts:
    key = row["id"]
    others = answers.others.get(key)
    return RequirementFacts(
        uuid=row["uuid"],
        title=row["title"],
        cadence=row["cadence"],
        operates_from=row["operates_from"],
        operates_until=row["operates_until"],
        purpose=row["purpose"],
        grace_days=row["grace_days"],
        lead_days=row["lead_days"],
        population_cadence=row["population_cadence"],
        latest_accepted=link_facts(row) if row["link_id"] else None,
        others_accepted=_besides(row, others) if others else (),
        submitted=row["submitted"] or 0,
        newer_rejected=bool(row["newer_rejected"]),
        populations=tuple(answers.populations.get(key, ())),
        asked_days=tuple(answers.asked_days.get(key, ())),
        terms=answers.terms.get(key, ()),
    )


def _besides(row: Row, others: Iterable[Row]) -> tuple[LinkFacts, ...]:
    """The accepted links of a requirement without its latest, in one order."""
    return tuple(
        link_facts(other)
        for other in sorted(others, key=_by_day)
        if other["link"] != row["link"]
    )


def _by_day(row: Row) -> tuple[dt.date, str]:
    """One order however the rows were read: performed first, then by the link."""
    return row["starts"], row["link"]


def terms_facts(row: Row) -> TermsFacts:
    """The terms of an ask on their days, of a row of a window."""
    return TermsFacts(
        *days_of(row["terms_from"], row["terms_until"]),
        title=row["title"],
        cadence=row["cadence"],
        purpose=row["purpose"],
        grace_days=row["grace_days"],
        lead_days=row["lead_days"],
        population_cadence=row["population_cadence"],
    )


def days_of(starts: dt.date | None, until: dt.date | None) -> Days:
    """A range `[)` of rows, NULL unbounded, as inclusive days."""
    return starts or dt.date.min, until - DAY if until else dt.date.max


def required_days(
    decisions: Iterable[Row], expected: Iterable[Days] = ()
) -> list[Days]:
    """Days on which our half was required, by decisions whose days do not overlap, and
    by what providers' reports expected of us on the days `expected`.

    A day without a decision is one of a class that nobody has read: ours.
    """
    ranges = [(days_of(d["starts"], d["until"]), parties_of(d)) for d in decisions]
    ours = [days for days, parties in ranges if "customer" in parties]
    undecided = subtract([EVERY_DAY], [days for days, _ in ranges])
    return united([*ours, *undecided, *expected])


def stated_days(row: Row) -> StatedDays:
    """An implementation status on its days: its worst part's."""
    parts = as_json(row["part_statuses"])
    status = worst_of([row["status"], *parts.values()])
    return StatedDays(*days_of(row["starts"], row["until"]), status)


def populations(rows: Iterable[Row]) -> defaultdict[int, list[PopulationFacts]]:
    """Populations by the key of their requirement."""
    by_requirement: defaultdict[int, list[PopulationFacts]] = defaultdict(list)
    for row in rows:
        by_requirement[row["requirement_id"]].append(_population_facts(row))
    return by_requirement


def _population_facts(row: Row) -> PopulationFacts:
    """Of a list that stands no more nothing is open: what was judged of it is left."""
    if row["state"] in {"rejected", "withdrawn"}:
        judged = row["proven"] + row["deviations"]
        left = {"items": judged, "waiting": 0, "still_open": 0, "lacking": ()}
        row = {**row, **left}
    return PopulationFacts(
        starts=row["starts"],
        ends=row["ends"],
        rows=row["rows"],
        state=row["state"],
        sample=row["items"] if row["is_sampled"] else None,
        proven=row["proven"],
        waiting=row["waiting"],
        deviations=row["deviations"],
        open=row["still_open"],
        deviating=tuple(row["deviating"] or ()),
        lacking=tuple(row["lacking"] or ()),
        drawn_on=row["drawn_on"],
        day_confirmed=row["day_confirmed"],
        uuid=str(row["uuid"]),
    )


def link_facts(row: Row) -> LinkFacts:
    """An accepted link with the proof it stands for."""
    return LinkFacts(
        link=row["link"],
        evidence=row["evidence"],
        performed_on=row["starts"],
        ends=None if row["ends"] == NO_END else row["ends"],
        occurrence=row["occurrence"],
        occurrence_ends=row["occurrence_ends"],
        collected_on=row["collected_on"],
        uploaded_on=row["uploaded_on"],
        day_confirmed=row["day_confirmed"],
        title=row["evidence_title"],
    )
