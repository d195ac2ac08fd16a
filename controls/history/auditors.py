"""Triggers that let nobody but auditors write what an audit says (AC-05, R29).

Whoever a mark or a result names audits in the engagement at that instant: it has not
ended, the account is open and a grant, which ends exclusively, is in force. What it is
about belongs to the engagement's system, a control to its scope. They say the same as
`evidence.engagements.who_may`, which answers first and with a sentence, and hold for
every role, the owner's included: a past is built by the clock of knowledge, when the
grant was in force.
"""

from __future__ import annotations

REFUSAL = "only auditors of this running engagement write here"

_NOT_LET_IN = """
SELECT WHERE NOT EXISTS (
  SELECT FROM controls_engagement e
    JOIN controls_membership m ON m.engagement_id = e.id
    JOIN controls_user u ON u.id = m.user_id
   WHERE e.id = NEW.engagement_id AND e.ended_at IS NULL
     AND e.system_id = NEW.system_id
     AND m.user_id = {person} AND m.role = 'auditor' AND u.is_active
     AND m.starts_at <= srm_now() AND (m.ends_at IS NULL OR m.ends_at > srm_now())
     AND EXISTS ({subject}))
"""

# Nothing was chosen, or the control is among what was chosen last.
_IN_SCOPE = (
    "SELECT coalesce((SELECT cardinality(b.controls) = 0 OR c.ref_id = ANY(b.controls)"
    " FROM controls_engagementscope b WHERE b.engagement_id = e.id"
    " ORDER BY b.id DESC LIMIT 1), true)"
)

# What each trigger refuses: table, when, and for which rows this finds something.
GUARDS: dict[str, tuple[str, str, str]] = {
    "srm_marked_by_auditor": (
        "evidence_controlmark",
        "INSERT OR UPDATE",
        _NOT_LET_IN.format(
            person="NEW.marked_by_id",
            subject="SELECT FROM controls_controlimplementation i"
            " JOIN controls_control c ON c.id = i.control_id"
            " WHERE i.id = NEW.implementation_id AND i.system_id = e.system_id"
            f" AND ({_IN_SCOPE})",
        ),
    ),
    "srm_tested_by_auditor": (
        "evidence_testeditem",
        "INSERT OR UPDATE",
        _NOT_LET_IN.format(
            person="NEW.tested_by_id",
            subject="SELECT FROM evidence_sampleitem i"
            " JOIN evidence_sample s ON s.id = i.sample_id"
            " JOIN evidence_population p ON p.id = s.population_id"
            " JOIN evidence_evidencerequirement r ON r.id = p.requirement_id"
            " JOIN controls_controlimplementation h ON h.id = r.implementation_id"
            " JOIN controls_control c ON c.id = h.control_id"
            " WHERE i.id = NEW.sample_item_id AND s.system_id = e.system_id"
            f" AND ({_IN_SCOPE})",
        ),
    ),
    "srm_closed_by_auditor": (
        "evidence_windowclosing",
        "INSERT OR UPDATE",
        "SELECT WHERE NEW.state IN ('closed', 'refused') AND EXISTS ("
        + _NOT_LET_IN.format(person="NEW.decided_by_id", subject="SELECT")
        + ")",
    ),
    "srm_closed_stays": (
        "evidence_windowclosing",
        "UPDATE",
        "SELECT WHERE OLD.state <> 'requested'",
    ),
}
