"""The triggers that keep an engagement what its auditors were let in for.

Its kind and window say which proof of design alone counts for nothing (R30); its scope
says which controls the auditors conclude on: none is taken away once they look. They
say the same as `controls.engagements` and `controls.engagement_scope`, which answer
first and with a sentence.
"""

from __future__ import annotations

REFUSAL = "an engagement stays what its auditors were let in for"

# What the trigger refuses: table, when, and for which rows this finds something.
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
    "srm_scope_only_widens": (
        "controls_engagementscope",
        "INSERT",
        "SELECT FROM controls_engagement e WHERE e.id = NEW.engagement_id"
        " AND (e.ended_at IS NOT NULL"
        " OR EXISTS (SELECT FROM controls_membership WHERE engagement_id = e.id)"
        " AND cardinality(NEW.controls) > 0 AND NOT coalesce("
        "(SELECT cardinality(b.controls) > 0 AND NEW.controls @> b.controls"
        " FROM controls_engagementscope b WHERE b.engagement_id = e.id"
        " ORDER BY b.id DESC LIMIT 1), false))",
    ),
}
