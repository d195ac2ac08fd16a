"""Triggers that let nobody but auditors write what an audit says (AC-05, R29).

Whoever a mark or a result names audits in the engagement at that instant: it has not
ended, the account is open and a grant is in force. What it is about belongs to the
engagement's system. They say the same as `evidence.engagements.who_may`, which answers
first and with a sentence, and hold for every role, the owner's included: a past is
built by the clock of knowledge, when the grant was in force.
"""

from __future__ import annotations

REFUSAL = "only auditors of this running engagement write here"

# What each trigger looks at: table, the column of the person, and the rows of the same
# system that the written one is about.
WRITTEN_BY_AUDITORS: dict[str, tuple[str, str, str]] = {
    "srm_marked_by_auditor": (
        "evidence_controlmark",
        "marked_by_id",
        "SELECT FROM controls_controlimplementation i"
        " WHERE i.id = NEW.implementation_id AND i.system_id = e.system_id",
    ),
    "srm_tested_by_auditor": (
        "evidence_testeditem",
        "tested_by_id",
        "SELECT FROM evidence_sampleitem i JOIN evidence_sample s ON s.id = i.sample_id"
        " WHERE i.id = NEW.sample_item_id AND s.system_id = e.system_id",
    ),
}


def function(name: str) -> str:
    """Makes the function of one trigger; grants end exclusively."""
    _, person, subject = WRITTEN_BY_AUDITORS[name]
    return f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM controls_engagement e
      JOIN controls_membership m ON m.engagement_id = e.id
      JOIN controls_user u ON u.id = m.user_id
     WHERE e.id = NEW.engagement_id AND e.ended_at IS NULL
       AND e.system_id = NEW.system_id
       AND m.user_id = NEW.{person} AND m.role = 'auditor' AND u.is_active
       AND m.starts_at <= srm_now()
       AND (m.ends_at IS NULL OR m.ends_at > srm_now())
       AND EXISTS ({subject})) THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = '{REFUSAL}';
  END IF;
  RETURN NEW;
END $$;
"""


def trigger(name: str) -> str:
    """Makes one trigger."""
    table, _, _ = WRITTEN_BY_AUDITORS[name]
    return f"""
CREATE OR REPLACE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION {name}();
"""
