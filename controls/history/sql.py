"""The statements that make history, refuse changes and grant rights.

Every function here returns SQL text; `install.py` runs it after each migrate.
"""

FUNCTIONS = """
CREATE OR REPLACE FUNCTION srm_is_owner() RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT pg_has_role(session_user, relowner, 'MEMBER')
    FROM pg_class WHERE oid = 'public.controls_auditevent'::regclass
$$;

-- The clock of knowledge. Only the owner may set it (session setting srm.clock),
-- to build a past for the demo, the benchmarks and the tests.
CREATE OR REPLACE FUNCTION srm_now() RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE chosen text := nullif(current_setting('srm.clock', true), '');
BEGIN
  IF chosen IS NOT NULL AND srm_is_owner() THEN
    RETURN chosen::timestamptz;
  END IF;
  RETURN clock_timestamp();
END $$;

CREATE OR REPLACE FUNCTION srm_known() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- The number comes before the instant: whoever waits for the transactions that
  -- have one waits for each row whose instant has passed.
  PERFORM pg_current_xact_id();
  IF TG_OP = 'INSERT' THEN
    NEW.known_from := srm_now();
  ELSE
    NEW.known_from := greatest(
      srm_now(), OLD.known_from + interval '1 microsecond');
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION srm_keep() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE ends timestamptz;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    ends := NEW.known_from;
  ELSE
    ends := greatest(srm_now(), OLD.known_from + interval '1 microsecond');
  END IF;
  EXECUTE format(
    -- From a function that stands in FROM: in the list of columns, as (f(…)).*, it
    -- would be called once for each of them.
    'INSERT INTO %1$I SELECT kept.* FROM jsonb_populate_record(NULL::%1$I,'
    ' to_jsonb($1) || jsonb_build_object(''known_until'', $2)) AS kept',
    TG_TABLE_NAME || '_history') USING OLD, ends;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION srm_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'insufficient_privilege';
END $$;

-- The times of an event are the database's. A body of version 2 holds them, so that its
-- hash covers them: read from the database a moment before, under the chain's lock.
CREATE OR REPLACE FUNCTION srm_audit_clock() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE hashed json := NEW.body::json -> '_';
BEGIN
  IF hashed ->> 'version' IS NULL THEN
    NEW.at := srm_now();
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
  END IF;
  NEW.at := (hashed ->> 'at')::timestamptz;
  NEW.recorded_at := (hashed ->> 'recorded_at')::timestamptz;
  IF NEW.at NOT BETWEEN srm_now() - interval '10 minutes' AND srm_now()
     OR NEW.recorded_at NOT BETWEEN clock_timestamp() - interval '10 minutes'
                                AND clock_timestamp()
     OR NEW.at IS NULL OR NEW.recorded_at IS NULL THEN
    RAISE EXCEPTION 'an event is written at the time of its writing'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_event_time_is_now';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION srm_review_matches() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE link record;
BEGIN
  SELECT l.submitted_by_id, r.collected_by_id, r.uploaded_by_id INTO link
    FROM evidence_evidencelink l JOIN evidence_evidencerevision r
      ON r.id = l.revision_id WHERE l.id = NEW.link_id;
  IF NEW.submitter_id IS DISTINCT FROM link.submitted_by_id THEN
    RAISE EXCEPTION 'the review names another submitter than its link'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'review_names_the_submitter';
  END IF;
  IF NEW.reviewer_id IN (link.collected_by_id, link.uploaded_by_id) THEN
    RAISE EXCEPTION 'the reviewer collected or uploaded this evidence'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'reviewer_is_not_collector';
  END IF;
  RETURN NEW;
END $$;

-- AC-08: only an accepting review makes a link accepted. The owner is let through:
-- upgrades and the demo's past are made by it.
CREATE OR REPLACE FUNCTION srm_accepted_by_review() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT srm_is_owner() AND NOT EXISTS (
    SELECT FROM evidence_review r JOIN evidence_evidencerevision v
        ON v.id = NEW.revision_id AND v.digest = r.digest
     WHERE r.link_id = NEW.id AND r.decision = 'accept') THEN
    RAISE EXCEPTION 'no review accepts this link'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'link_accepted_by_review';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION srm_proof_has_link() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM evidence_evidencelink
                  WHERE id = NEW.link_id AND state = 'accepted') THEN
    RAISE EXCEPTION 'no accepted link carries this proof'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'proof_has_accepted_link';
  END IF;
  RETURN NEW;
END $$;
"""


def history_table(table: str) -> str:
    """Make the twin of a table if it is not there: same columns and `known_until`."""
    return f"""
CREATE TABLE IF NOT EXISTS {table}_history (
  known_until timestamptz NOT NULL, LIKE {table});
CREATE INDEX IF NOT EXISTS {table}_history_id ON {table}_history (id, known_until);
"""


def history_column(table: str, column: str, sql_type: str) -> str:
    """Add a column that the table has gained since its twin was made."""
    return f'ALTER TABLE {table}_history ADD COLUMN "{column}" {sql_type};'


def history_column_type(table: str, column: str, sql_type: str) -> str:
    """Give a twin's column the type that the table's has by now."""
    return (
        f'ALTER TABLE {table}_history ALTER COLUMN "{column}" TYPE {sql_type}'
        f' USING "{column}"::{sql_type};'
    )


def rename_history_column(table: str, old: str, new: str) -> str:
    """Rename a column of the twin."""
    return f'ALTER TABLE {table}_history RENAME COLUMN "{old}" TO "{new}";'


def rename_history(old_table: str, new_table: str) -> str:
    """Rename the twin and its index."""
    return f"""
ALTER TABLE {old_table}_history RENAME TO {new_table}_history;
ALTER INDEX {old_table}_history_id RENAME TO {new_table}_history_id;
"""


def loosen(table: str, column: str) -> str:
    """Let the twin hold rows from before a column was required."""
    return f'ALTER TABLE {table}_history ALTER COLUMN "{column}" DROP NOT NULL;'


def drop_versions_view(table: str) -> str:
    """Drop the view over a table and its twin."""
    return f"DROP VIEW IF EXISTS {table}_versions;"


def versions_view(table: str, columns: list[str]) -> str:
    """What the table says and said: current rows have no `known_until`.

    That column comes first: a view may be replaced only when columns are appended.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    return f"""
CREATE OR REPLACE VIEW {table}_versions AS
  SELECT NULL::timestamptz AS known_until, {names} FROM {table}
  UNION ALL SELECT known_until, {names} FROM {table}_history;
"""


def grant_reading(relation: str, role: str) -> str:
    """Let a role read one table or view."""
    return f'GRANT SELECT ON {relation} TO "{role}";'


def known_trigger(table: str) -> str:
    """Let the database clock say since when a row is known."""
    return f"""
CREATE OR REPLACE TRIGGER srm_known BEFORE INSERT OR UPDATE ON {table}
  FOR EACH ROW EXECUTE FUNCTION srm_known();
"""


def keep_trigger(table: str) -> str:
    """Keep what a row said before an UPDATE or DELETE."""
    return f"""
CREATE OR REPLACE TRIGGER srm_keep AFTER UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION srm_keep();
"""


def append_only_trigger(table: str) -> str:
    """Refuse UPDATE, DELETE and TRUNCATE, also for the owner."""
    return f"""
CREATE OR REPLACE TRIGGER srm_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
  ON {table} FOR EACH STATEMENT EXECUTE FUNCTION srm_append_only();
"""


AUDIT_CLOCK = """
CREATE OR REPLACE TRIGGER srm_audit_clock BEFORE INSERT ON controls_auditevent
  FOR EACH ROW EXECUTE FUNCTION srm_audit_clock();
"""

REVIEW_MATCHES = """
CREATE OR REPLACE TRIGGER srm_review_matches BEFORE INSERT ON evidence_review
  FOR EACH ROW EXECUTE FUNCTION srm_review_matches();
"""

ACCEPTED_BY_REVIEW = """
CREATE OR REPLACE TRIGGER srm_accepted_by_review
  BEFORE UPDATE ON evidence_evidencelink FOR EACH ROW
  WHEN (NEW.state = 'accepted' AND (OLD.state <> 'accepted'
        OR OLD.revision_id <> NEW.revision_id))
  EXECUTE FUNCTION srm_accepted_by_review();
"""

ACCEPTED_AT_ONCE = """
CREATE OR REPLACE TRIGGER srm_accepted_at_once
  BEFORE INSERT ON evidence_evidencelink FOR EACH ROW
  WHEN (NEW.state = 'accepted') EXECUTE FUNCTION srm_accepted_by_review();
"""

PROOF_HAS_LINK = """
CREATE OR REPLACE TRIGGER srm_proof_has_link
  BEFORE INSERT OR UPDATE ON evidence_proof FOR EACH ROW
  WHEN (NEW.state = 'accepted' AND NEW.known_until IS NULL)
  EXECUTE FUNCTION srm_proof_has_link();
"""


def refusing(name: str, forbidden: str, refusal: str) -> str:
    """Make the function of a trigger that refuses a row for which the SELECT finds
    something, with a sentence."""
    return f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS ({forbidden}) THEN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = '{refusal}';
  END IF;
  RETURN NEW;
END $$;
"""


def before_rows(name: str, when: str, table: str) -> str:
    """Run the function of that name before each row is written."""
    return f"""
CREATE OR REPLACE TRIGGER {name} BEFORE {when} ON {table}
  FOR EACH ROW EXECUTE FUNCTION {name}();
"""


# The application closes or ends these rows, it removes none.
NEVER_DELETED = (
    "controls_membership",
    "controls_user",
    "evidence_evidencelink",
    "evidence_legalhold",
    "evidence_proof",
)


def grants(role: str, append_only: list[str], histories: list[str]) -> str:
    """What the application role may do: nothing to history, only add to the log."""
    name = f'"{role}"'
    closed = ", ".join([*histories, "django_migrations"])
    added = ", ".join(append_only)
    return f"""
GRANT USAGE ON SCHEMA public TO {name};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name};
REVOKE UPDATE, DELETE, TRUNCATE ON {added} FROM {name};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {closed} FROM {name};
REVOKE DELETE, TRUNCATE ON {", ".join(NEVER_DELETED)} FROM {name};
"""
