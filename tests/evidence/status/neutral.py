"""Facts for pure tests: what a test does not name is neutral.

The facts themselves have no defaults. `NEUTRAL` is also what the gatherer is held
against: it must supply something else for each field (test_facts_complete.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from evidence.status import facts

Facts = TypeVar("Facts")

NOT_SAID = facts.ApplicabilityFacts(
    requested=False, approved=False, basis_changed=False, review_by=None
)
NEUTRAL: dict[type, dict[str, Any]] = {
    facts.LinkFacts: {
        "occurrence": None,
        "collected_on": None,
        "title": "",
    },
    facts.PopulationFacts: {
        "state": "submitted",
        "sample": None,
        "proven": 0,
        "waiting": 0,
        "deviations": 0,
        "open": 0,
        "newer": None,
        "sampled_on": None,
        "drawn_on": None,
        "uuid": "",
    },
    facts.RequirementFacts: {
        "operates_until": None,
        "purpose": "operation",
        "grace_days": None,
        "lead_days": None,
        "latest_accepted": None,
        "submitted": 0,
        "newer_rejected": False,
        "population": None,
    },
    facts.NeededService: {
        "used_until": None,
        "is_global": False,
        "regions": (),
        "layers": (),
    },
    facts.LetterFacts: {"state": "accepted"},
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
        "open_findings": 0,
        "contradicted": 0,
        "cuec_open": 0,
        "supplementary": 0,
    },
    facts.RequirementHistory: {"links": (), "populations": ()},
    facts.PeriodFacts: {
        "responsibility": "unclassified",
        "aws_required": False,
        "customer_required": False,
        "applicability": NOT_SAID,
        "requirements": (),
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


link_facts = builder(facts.LinkFacts)
requirement_facts = builder(facts.RequirementFacts)
needed_service = builder(facts.NeededService)
letter_facts = builder(facts.LetterFacts)
version_facts = builder(facts.ArtifactVersionFacts)
aws_facts = builder(facts.AwsFacts)
applicability_facts = builder(facts.ApplicabilityFacts)
control_facts = builder(facts.ControlFacts)
requirement_history = builder(facts.RequirementHistory)
period_facts = builder(facts.PeriodFacts)
_population = builder(facts.PopulationFacts)


def population_facts(*values: Any, **named: Any) -> facts.PopulationFacts:
    """A population; what is neither proven nor deviates is open unless said."""
    return sampled(_population(*values, **named), **named)


def sampled(events: facts.PopulationFacts, **changes: Any) -> facts.PopulationFacts:
    """The population with changes; `open` follows from the others unless said."""
    changed = replace(events, **changes)
    if "open" in changes:
        return changed
    left = (changed.sample or 0) - changed.proven - changed.deviations
    return replace(changed, open=max(0, left))
