"""Triggers on who closes the window of an audit (R32).

An officer of its system asks, while the engagement runs; whoever asked, for what, stays
as it was written. That an auditor decides, and once, is held in `auditors`. They
say the same as `evidence.exports.closing`, which answers first and with a sentence.
"""

from __future__ import annotations

REFUSAL = "an officer asks to close the window of a running engagement (R32)"

# What each trigger refuses: table, when, and for which rows this finds something.
GUARDS: dict[str, tuple[str, str, str]] = {
    "srm_closing_asked_by_officer": (
        "evidence_windowclosing",
        "INSERT",
        "SELECT WHERE NEW.state <> 'requested' OR NOT EXISTS ("
        "SELECT FROM controls_engagement e"
        " JOIN controls_user u ON u.id = NEW.requested_by_id"
        " WHERE e.id = NEW.engagement_id AND e.system_id = NEW.system_id"
        " AND e.ended_at IS NULL AND u.is_active AND (u.is_superuser OR EXISTS ("
        "SELECT FROM controls_membership m WHERE m.user_id = u.id"
        " AND m.system_id = e.system_id AND m.role = 'officer'"
        " AND m.starts_at <= srm_now()"
        " AND (m.ends_at IS NULL OR m.ends_at > srm_now()))))",
    ),
    "srm_closing_stays_asked": (
        "evidence_windowclosing",
        "UPDATE",
        "SELECT WHERE (NEW.system_id, NEW.engagement_id, NEW.requested_by_id)"
        " <> (OLD.system_id, OLD.engagement_id, OLD.requested_by_id)",
    ),
}
