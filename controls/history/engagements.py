"""The trigger that keeps an engagement what its auditors were let in for.

Its kind and window say which proof of design alone counts for nothing (R30). It says
the same as `controls.engagements`, which answers first and with a sentence.
"""

from __future__ import annotations

REFUSAL = "an engagement stays what its auditors were let in for"

# What the trigger refuses: table, when, and for which rows this finds something.
GUARDS: dict[str, tuple[str, str, str]] = {
    "srm_engagement_stays": (
        "controls_engagement",
        "UPDATE",
        "SELECT WHERE NEW.system_id <> OLD.system_id"
        " OR OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at"
        " OR (NEW.kind, NEW.window_start, NEW.window_end)"
        " <> (OLD.kind, OLD.window_start, OLD.window_end)"
        " AND EXISTS (SELECT FROM controls_membership WHERE engagement_id = NEW.id)",
    ),
}
