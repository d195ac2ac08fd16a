"""Each row of a control gets an ask of its own, with the terms that the row states.

Answers as known at an earlier time stay as they were: what a row said before becomes
what the terms of its ask said before, known over the same instants. So the triggers
rest meanwhile; otherwise every row would look as if it had changed today. The new
tables get their triggers after this migrate, their twins already here.

Ask and terms get the key of their row. A link's period ends where the cadence of its
requirement says; where that cadence was changed once, nobody recorded by which of them
a link was submitted, and it goes on answering whatever period begins on its day.
"""

from django.db import migrations

TERMS = """days, title, guidance, good_proof, cadence, purpose, grace_days, lead_days,
  owner_team_id, known_from"""
STATED = """'(,)'::daterange, title, coalesce(guidance, ''), coalesce(good_proof, ''),
  cadence, purpose, grace_days, lead_days, owner_team_id, known_from"""

# Twins as `controls.history.sql.history_table` makes them.
TWINS = """
CREATE TABLE IF NOT EXISTS evidence_requirementterms_history (
  known_until timestamptz NOT NULL, LIKE evidence_requirementterms);
CREATE INDEX IF NOT EXISTS evidence_requirementterms_history_id
  ON evidence_requirementterms_history (id, known_until);
"""

ASKS = f"""
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE evidence_evidencerequirement DISABLE TRIGGER USER;
ALTER TABLE evidence_evidencelink DISABLE TRIGGER USER;

INSERT INTO evidence_requirement (id, system_id, uuid, version, known_from)
SELECT id, system_id, gen_random_uuid(), 1, known_from
  FROM evidence_evidencerequirement;
UPDATE evidence_evidencerequirement SET ask_id = id;
INSERT INTO evidence_requirementterms (id, ask_id, {TERMS})
SELECT id, id, {STATED} FROM evidence_evidencerequirement;
SELECT setval(pg_get_serial_sequence(name, 'id'), (
    SELECT coalesce(max(id), 1) FROM evidence_evidencerequirement), (
    SELECT count(*) > 0 FROM evidence_evidencerequirement))
  FROM unnest(ARRAY['evidence_requirement', 'evidence_requirementterms']) AS name;
"""

# On a database made now there are no twins yet, and nothing in the tables.
PAST_TERMS = f"""
UPDATE evidence_requirement AS ask SET known_from = past.first
  FROM (SELECT id, min(known_from) AS first
          FROM evidence_evidencerequirement_history GROUP BY id) AS past
 WHERE past.id = ask.id AND past.first < ask.known_from;
UPDATE evidence_evidencerequirement_history SET ask_id = id;
INSERT INTO evidence_requirementterms_history (known_until, id, ask_id, {TERMS})
SELECT known_until, id, id, {STATED} FROM evidence_evidencerequirement_history;
"""

# Requirements of which links were submitted by one cadence only.
PERIODS = """
CREATE TEMPORARY TABLE one_cadence ON COMMIT DROP AS
SELECT id, min(cadence) AS cadence
  FROM (SELECT id, cadence FROM evidence_evidencerequirement {past}) AS said
 GROUP BY id HAVING min(cadence) = max(cadence);
UPDATE evidence_evidencelink AS l SET occurrence_ends = CASE r.cadence
    WHEN 'weekly' THEN l.occurrence + 6
    WHEN 'monthly' THEN (l.occurrence + interval '1 month')::date - 1
    WHEN 'quarterly' THEN (l.occurrence + interval '3 months')::date - 1
    WHEN 'half-yearly' THEN (l.occurrence + interval '6 months')::date - 1 END
  FROM one_cadence AS r
 WHERE r.id = l.requirement_id AND l.occurrence IS NOT NULL;
UPDATE evidence_proof AS p SET occurrence_ends = l.occurrence_ends
  FROM evidence_evidencelink AS l
 WHERE l.id = p.link_id AND l.occurrence_ends IS NOT NULL
   AND p.occurrence = l.occurrence;
DROP TABLE one_cadence;
"""
PAST = "UNION ALL SELECT id, cadence FROM evidence_evidencerequirement_history"

PAST_PERIODS = """
UPDATE evidence_evidencelink_history AS past SET occurrence_ends = l.occurrence_ends
  FROM evidence_evidencelink AS l
 WHERE l.id = past.id AND l.occurrence = past.occurrence;
"""

AWAKE = """
ALTER TABLE evidence_evidencerequirement ENABLE TRIGGER USER;
ALTER TABLE evidence_evidencelink ENABLE TRIGGER USER;
"""


def make_asks(apps, schema_editor):
    """One ask and its terms for each row, and for what each row said before."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('evidence_evidencerequirement_history') IS NOT NULL"
        )
        (past_is_kept,) = cursor.fetchone()
        cursor.execute(TWINS)
        cursor.execute(ASKS)
        if past_is_kept:
            cursor.execute(PAST_TERMS)
        cursor.execute(PERIODS.format(past=PAST if past_is_kept else ""))
        if past_is_kept:
            cursor.execute(PAST_PERIODS)
        cursor.execute(AWAKE)


class Migration(migrations.Migration):
    dependencies = [("evidence", "0016_asks_and_their_terms")]

    operations = [migrations.RunPython(make_asks, migrations.RunPython.noop)]
