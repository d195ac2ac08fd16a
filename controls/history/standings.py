"""Triggers that mark kept standings whose ground was written to, by whatever door.

A standing (`evidence_askstanding`) repeats what these tables say about a row that is
asked. Each statement that changes them adds a mark for every row concerned, in its own
transaction: whoever sees the change sees the mark.
"""

from __future__ import annotations

from collections.abc import Iterator

NAME = "srm_marks_standing"
BEFORE, AFTER = "rows_before", "rows_after"

# What is written, and the rows concerned: the condition that joins a written row `w`
# with a row `r` that is asked; None: `w` is or names that row itself, by this column.
_NAMED_BY = {
    "evidence_evidencelink": "requirement_id",
    "evidence_proof": "requirement_id",
    "evidence_evidencerequirement": "id",
}
_OF_SERIES = """r.user_control_id IN (
  SELECT m.id FROM evidence_reportremark m
    JOIN evidence_artifactversion v ON v.id = m.artifact_version_id
   WHERE {condition})"""
_CONCERNED = {
    "evidence_requirementterms": "r.ask_id = w.ask_id",
    "controls_controlimplementation": "r.implementation_id = w.id",
    "controls_responsibilitydecision": "r.implementation_id = w.implementation_id",
    "controls_applicabilitydecision": "r.implementation_id = w.implementation_id",
    "controls_system": "r.system_id = w.id",
    # a report that ends, is reviewed, or says what another one of its series said, may
    # bind anew
    "evidence_artifactversion": _OF_SERIES.format(
        condition="v.artifact_id = w.artifact_id"
    ),
    "evidence_reliancereview": "r.system_id = w.system_id AND "
    + _OF_SERIES.format(
        condition="v.artifact_id = (SELECT s.artifact_id"
        " FROM evidence_artifactversion s WHERE s.id = w.artifact_version_id)"
    ),
    "evidence_reportremark": _OF_SERIES.format(
        condition="m.title = w.title AND v.artifact_id = (SELECT s.artifact_id"
        " FROM evidence_artifactversion s WHERE s.id = w.artifact_version_id)"
    ),
}
# Of an UPDATE only what changes one of these matters.
_ONLY_WITH = {
    "controls_controlimplementation": (
        "responsibility",
        "applicability",
        "owner_team_id",
    ),
    "controls_system": ("window_start", "time_zone"),
    "evidence_artifactversion": ("state",),
}
_TRANSACTION = "pg_current_xact_id()::text::bigint"


def _mark(table: str, written: str) -> str:
    """SQL: mark the rows concerned by the rows of a transition table."""
    if table in _NAMED_BY:
        keys = f"SELECT w.{_NAMED_BY[table]} AS id FROM {written} w"
    else:
        keys = (
            f"SELECT r.id FROM {written} w"
            f" JOIN evidence_evidencerequirement r ON {_CONCERNED[table]}"
        )
    return (
        "INSERT INTO evidence_standingmark (requirement_id, written_by)"
        f" SELECT DISTINCT c.id, {_TRANSACTION} FROM ({keys}) c"
        " WHERE c.id IS NOT NULL AND NOT EXISTS ("
        "   SELECT FROM evidence_standingmark m WHERE m.requirement_id = c.id"
        f"     AND m.written_by = {_TRANSACTION});"
    )


def _update(table: str) -> str:
    if table not in _ONLY_WITH:
        return f"{_mark(table, BEFORE)} {_mark(table, AFTER)}"
    before, after = (
        ", ".join(f"{side}.{column}" for column in _ONLY_WITH[table])
        for side in ("b", "a")
    )
    changed = (
        f"(SELECT a.* FROM {AFTER} a JOIN {BEFORE} b ON b.id = a.id"
        f" WHERE ({before}) IS DISTINCT FROM ({after}))"
    )
    return _mark(table, changed)


def statements() -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """The function of each table, and its triggers: table, name, statement."""
    for table in (*_NAMED_BY, *_CONCERNED):
        function = f"{NAME}_{table}"
        yield (
            f"""
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN {_mark(table, AFTER)}
  ELSIF TG_OP = 'DELETE' THEN {_mark(table, BEFORE)}
  ELSE {_update(table)}
  END IF;
  RETURN NULL;
END $$;
""",
            [
                (table, f"{NAME}_{verb.lower()}", _trigger(table, verb, rows, function))
                for verb, rows in (
                    ("INSERT", f"NEW TABLE AS {AFTER}"),
                    ("UPDATE", f"OLD TABLE AS {BEFORE} NEW TABLE AS {AFTER}"),
                    ("DELETE", f"OLD TABLE AS {BEFORE}"),
                )
            ],
        )


def _trigger(table: str, verb: str, rows: str, function: str) -> str:
    return f"""
CREATE OR REPLACE TRIGGER {NAME}_{verb.lower()} AFTER {verb} ON {table}
  REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
"""
