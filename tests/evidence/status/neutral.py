"""Facts for pure tests: what a test does not name is neutral.

The facts themselves have no defaults. `NEUTRAL` is also what the gatherer is held
against: it must supply something else for each field (test_facts_complete.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from evidence.status import facts
from evidence.status.day_ranges import EVERY_DAY

DAY = dt.timedelta(days=1)
Facts = TypeVar("Facts")

NOT_SAID = facts.ApplicabilityFacts(
    requested=False, approved=False, basis_changed=False, review_by=None
)
ALWAYS_IMPLEMENTED = (facts.StatedDays(*EVERY_DAY, "implemented"),)
NEUTRAL: dict[type, dict[str, Any]] = {
    facts.LinkFacts: {
        "occurrence": None,
        "occurrence_ends": None,
        "collected_on": None,
        "uploaded_on": None,
        "day_confirmed": False,
        "title": "",
    },
    facts.PopulationFacts: {
        "state": "submitted",
        "sample": None,
        "proven": 0,
        "waiting": 0,
        "deviations": 0,
        "open": 0,
        "deviating": (),
        "lacking": (),
        "drawn_on": None,
        "day_confirmed": False,
        "uuid": "",
    },
    facts.RequirementFacts: {
        "operates_until": None,
        "purpose": "operation",
        "grace_days": None,
        "lead_days": None,
        "latest_accepted": None,
        "others_accepted": (),
        "submitted": 0,
        "newer_rejected": False,
        "populations": (),
        "asked_days": (),
        "population_cadence": "quarterly",
        "terms": (),
    },
    facts.NeededService: {
        "used_until": None,
        "is_global": False,
        "regions": (),
        "layers": (),
        "provider": "aws",
        "provider_name": "AWS",
        "sites": (),
    },
    facts.LetterFacts: {"state": "accepted", "max_months": 3},
    facts.CarvedOutFacts: {
        "layers": frozenset(),
        "standing": "waiting",
    },
    facts.ArtifactVersionFacts: {
        "ends": None,
        "scheme": "",
        "type1": False,
        "responsibility_summary": False,
        "state": "active",
        "revoked_on": None,
        "opinion": "",
        "impact_level": "",
        "partition": "",
        "services_in_scope": frozenset(),
        "regions_in_scope": frozenset(),
        "reliance": None,
        "letters": (),
        "exceptions_open": 0,
        "exceptions_answered": 0,
        "provider": "aws",
        "sites_in_scope": frozenset(),
        "citation": "accepted",
        "carved_out": (),
    },
    facts.AwsFacts: {
        "needed": (),
        "versions": (),
        "regime": "none",
        "impact_level": "",
        "partition": "aws",
        "currency_days": 90,
    },
    facts.ApplicabilityFacts: {
        "requested": False,
        "approved": False,
        "basis_changed": False,
        "review_by": None,
    },
    facts.FindingFacts: {
        "title": "",
        "due_on": None,
        "closed_on": None,
    },
    facts.ControlFacts: {
        "responsibility": "unclassified",
        "aws_required": False,
        "customer_required": False,
        "override_expired": False,
        "implementation_status": "planned",
        "worst_part": None,
        "alternative_approved": False,
        "applicability": NOT_SAID,
        "requirements": (),
        "aws": None,
        "type2": False,
        "findings": (),
        "contradicted": (),
        "cuec_open": 0,
        "supplementary": 0,
    },
    facts.TermsFacts: {
        "first": dt.date.min,
        "last": dt.date.max,
        "purpose": "operation",
        "grace_days": None,
        "lead_days": None,
        "population_cadence": "quarterly",
    },
    facts.RequirementHistory: {
        "named": (EVERY_DAY,),
        "links": (),
        "populations": (),
    },
    facts.StatedDays: {
        "first": dt.date.min,
        "last": dt.date.max,
        "status": "implemented",
    },
    facts.FormerFacts: {"not_applicable": ()},
    facts.PeriodFacts: {
        "responsibility": "unclassified",
        "aws_required": False,
        "required": (),
        "not_applicable": (),
        "requirements": (),
        "stated": ALWAYS_IMPLEMENTED,
        "alternative_approved": False,
        "type2": (),
        "findings": (),
        "contradicted": (),
        "former": (),
        "at_end": None,
        "aws": None,
    },
}


def builder(kind: type[Facts]) -> Callable[..., Facts]:
    """A function that makes facts of a kind, by position or name, else neutral."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]

    def build(*values: Any, **named: Any) -> Facts:
        placed = dict(zip(names, values, strict=False))
        return kind(**(NEUTRAL[kind] | placed | named))

    return build


requirement_facts = builder(facts.RequirementFacts)
needed_service = builder(facts.NeededService)
letter_facts = builder(facts.LetterFacts)
version_facts = builder(facts.ArtifactVersionFacts)
aws_facts = builder(facts.AwsFacts)
applicability_facts = builder(facts.ApplicabilityFacts)
control_facts = builder(facts.ControlFacts)
finding_facts = builder(facts.FindingFacts)
terms_facts = builder(facts.TermsFacts)
former_facts = builder(facts.FormerFacts)
history_facts = builder(facts.RequirementHistory)
_link = builder(facts.LinkFacts)
_period = builder(facts.PeriodFacts)
_population = builder(facts.PopulationFacts)


def link_facts(*values: Any, **named: Any) -> facts.LinkFacts:
    """A link; it was uploaded on the day it was performed unless said."""
    link = _link(*values, **named)
    if link.uploaded_on is None:
        return replace(link, uploaded_on=link.performed_on)
    return link


def terms_of(asked: facts.AskFacts) -> facts.TermsFacts:
    """The terms of an ask that were the same on all days."""
    return terms_facts(
        title=asked.title,
        cadence=asked.cadence,
        purpose=asked.purpose,
        grace_days=asked.grace_days,
        lead_days=asked.lead_days,
        population_cadence=asked.population_cadence,
    )


def named_days(asked: facts.AskFacts) -> tuple[tuple[dt.date, dt.date], ...]:
    """The days on which an ask names its control."""
    until = asked.operates_until
    return ((asked.operates_from, until - DAY if until else dt.date.max),)


def requirement_history(
    asked: facts.AskFacts,
    links: tuple[facts.LinkFacts, ...] = (),
    populations: tuple[facts.PopulationFacts, ...] = (),
) -> facts.RequirementHistory:
    """An ask whose terms were the same on all days, with the answers to it."""
    return history_facts(
        asked.uuid, (terms_of(asked),), named_days(asked), links, populations
    )


def period_facts(
    *values: Any, customer_required: bool = False, **named: Any
) -> facts.PeriodFacts:
    """A control over a window; with `customer_required` our half was on all days."""
    if customer_required:
        named.setdefault("required", (EVERY_DAY,))
    return _period(*values, **named)


def population_facts(*values: Any, **named: Any) -> facts.PopulationFacts:
    """A population, drawn on its last day unless said.

    What is neither proven nor deviates is open unless said.
    """
    events = _population(*values, **named)
    if events.drawn_on is None:
        events = replace(events, drawn_on=events.ends)
    return sampled(events, **named)


def sampled(events: facts.PopulationFacts, **changes: Any) -> facts.PopulationFacts:
    """The population with changes; `open` follows from the others unless said."""
    changed = replace(events, **changes)
    if "open" in changes:
        return changed
    left = (changed.sample or 0) - changed.proven - changed.deviations
    return replace(changed, open=max(0, left))
