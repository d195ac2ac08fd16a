"""The triggers that keep an engagement what its auditors were let in for.

Its kind and window say which proof of design alone counts for nothing (R30); its scope
says which controls the auditors conclude on: once they look, none is taken out without
a reason, nor one that they have begun with; once a window is closed, nothing changes.
They say the same as `controls.engagements`, `controls.engagement_scope` and
`evidence.engagements.scope`, which answer first and with a sentence.
"""

from __future__ import annotations

REFUSAL = "an engagement stays what its auditors were let in for"

_CLOSED = (
    "EXISTS (SELECT FROM evidence_windowclosing w"
    " WHERE w.state = 'closed' AND {engagement})"
)
_OF_AUDIT = (
    "w.engagement_id IN (SELECT id FROM controls_engagement WHERE audit = NEW.audit)"
)
# Controls that the auditors of `e` have marked, or of which they tested an event.
_BEGUN = (
    "SELECT FROM (SELECT m.implementation_id FROM evidence_controlmark m"
    " WHERE m.engagement_id = e.id AND m.state <> 'not_started'"
    " UNION SELECT r.implementation_id FROM evidence_testeditem t"
    " JOIN evidence_sampleitem i ON i.id = t.sample_item_id"
    " JOIN evidence_sample s ON s.id = i.sample_id"
    " JOIN evidence_population p ON p.id = s.population_id"
    " JOIN evidence_evidencerequirement r ON r.id = p.requirement_id"
    " WHERE t.engagement_id = e.id) begun"
    " JOIN controls_controlimplementation i ON i.id = begun.implementation_id"
    " JOIN controls_control c ON c.id = i.control_id WHERE true"
)

# What each trigger refuses: table, when, and for which rows this finds something.
GUARDS: dict[str, tuple[str, str, str]] = {
    "srm_engagement_stays": (
        "controls_engagement",
        "UPDATE",
        "SELECT WHERE NEW.system_id <> OLD.system_id OR NEW.audit <> OLD.audit"
        " OR OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at"
        " OR (NEW.kind, NEW.window_start, NEW.window_end)"
        " <> (OLD.kind, OLD.window_start, OLD.window_end)"
        " AND EXISTS (SELECT FROM controls_membership WHERE engagement_id = NEW.id)",
    ),
    "srm_scope_stays": (
        "controls_engagementscope",
        "INSERT",
        "SELECT FROM controls_engagement e"
        " LEFT JOIN LATERAL (SELECT b.controls, b.covered"
        " FROM controls_engagementscope b WHERE b.engagement_id = e.id"
        " ORDER BY b.id DESC LIMIT 1) b ON true"
        " WHERE e.id = NEW.engagement_id AND ("
        "e.ended_at IS NOT NULL AND NEW.covered OR NOT b.covered"
        f" OR ({_CLOSED.format(engagement='w.engagement_id = e.id')})"
        " OR EXISTS (SELECT FROM controls_membership WHERE engagement_id = e.id)"
        " AND cardinality(NEW.controls) > 0 AND NEW.reason = '' AND NOT coalesce("
        "cardinality(b.controls) > 0 AND NEW.controls @> b.controls, false)"
        " OR (cardinality(NEW.controls) > 0 OR NOT NEW.covered)"
        f" AND EXISTS ({_BEGUN} AND c.ref_id <> ALL (NEW.controls)))",
    ),
    "srm_system_joins_audit": (
        "controls_engagement",
        "INSERT",
        "SELECT WHERE EXISTS (SELECT FROM controls_engagement e"
        " WHERE e.audit = NEW.audit) AND (NOT EXISTS ("
        "SELECT FROM controls_engagement e WHERE e.audit = NEW.audit"
        " AND e.ended_at IS NULL) OR"
        f" ({_CLOSED.format(engagement=_OF_AUDIT)}))",
    ),
}
