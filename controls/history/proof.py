"""Triggers that let nothing be settled without what settles it (R28, R36).

A verdict reads that a finding is closed, or took the place of an observation, from
these rows alone. They say the same as `evidence.findings`, which answers first and with
a sentence.
"""

from __future__ import annotations

REFUSAL = "nothing is settled without what settles it (R28, R36)"

# What each trigger refuses: table, when, and for which rows this finds something.
GUARDS: dict[str, tuple[str, str, str]] = {
    # It is due by the day on which the failing was seen, and of the same control.
    "srm_finding_of_its_observation": (
        "evidence_finding",
        "INSERT",
        "SELECT FROM evidence_failingobservation o WHERE o.id = NEW.observation_id"
        " AND (o.implementation_id <> NEW.implementation_id"
        " OR o.observed_on <> NEW.found_on)",
    ),
    # Only what our side did at this control since then shows that it is mended.
    "srm_closure_names_its_proof": (
        "evidence_disposition",
        "INSERT",
        "SELECT FROM evidence_finding f JOIN evidence_evidencelink k"
        " ON k.id = NEW.link_id"
        " JOIN evidence_evidencerevision r ON r.id = k.revision_id"
        " WHERE f.id = NEW.finding_id"
        " AND (k.implementation_id <> f.implementation_id OR k.half <> 'customer'"
        " OR r.performed_on < f.found_on)",
    ),
    # A closing counts from the day of its decision: at the earliest the day that it
    # still is somewhere. What it names is accepted by then, and the authorizing
    # official agreed to a deviation.
    "srm_settled_by_proof": (
        "evidence_dispositiondecision",
        "INSERT",
        "SELECT FROM evidence_disposition q"
        " JOIN controls_system s ON s.id = q.system_id"
        " LEFT JOIN evidence_evidencelink k ON k.id = q.link_id"
        " WHERE q.id = NEW.disposition_id AND NEW.decision = 'accept'"
        " AND (k.state <> 'accepted' OR NEW.official = '' AND s.regime = 'fedramp'"
        " AND q.kind IN"
        " ('false-positive', 'risk-adjustment', 'operational-requirement')"
        " OR NEW.decided_on"
        " < (srm_now() AT TIME ZONE 'UTC' - interval '12 hours')::date)",
    ),
}
