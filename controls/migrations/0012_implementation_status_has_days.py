"""The implementation status has days, and starts as not stated.

What the rows of the controls said so far holds for the days before the upgrade, and
answers as known then stay as they were: each row of their history gets its twin. From
the day of the upgrade on it goes on where somebody ever said it; where nobody did, it
is not stated.
"""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from controls.history import sql

TABLE = "controls_implementationstatement"
STATEABLE = ["implemented", "partial", "planned", "alternative"]

# What its own row says of the status of every control, since when that row is known,
# and whether somebody ever said it: a status that no row gets by itself, or an event.
STATED = """
CREATE TEMPORARY TABLE srm_stated ON COMMIT DROP AS
  WITH upgrade AS MATERIALIZED (SELECT clock_timestamp() AS instant)
SELECT upgrade.instant, i.id, i.implementation_status AS status, i.part_statuses AS parts, i.known_from,
       (upgrade.instant AT TIME ZONE s.time_zone)::date AS upgrade_day,
       nextval(pg_get_serial_sequence('controls_implementationstatement', 'id'))
         AS statement_id,
       i.implementation_status <> 'implemented' OR i.part_statuses <> '{}'
       OR EXISTS (
         SELECT FROM controls_controlimplementation_history h WHERE h.id = i.id
            AND (h.implementation_status <> 'implemented' OR h.part_statuses <> '{}'))
       OR EXISTS (
         SELECT FROM controls_auditevent e WHERE e.subject_uuid = i.uuid
            AND e.verb LIKE 'implementation.%'
            AND e.body LIKE '%implementation_status%') AS by_a_person
  FROM controls_controlimplementation i
  JOIN controls_system s ON s.id = i.system_id
 CROSS JOIN upgrade
"""
KEEP_WHAT_PERSONS_SAID = """
INSERT INTO controls_implementationstatement
       (id, implementation_id, days, status, part_statuses, in_bulk, known_from)
SELECT statement_id, id, '(,)', status, parts, FALSE, known_from
  FROM srm_stated WHERE by_a_person
"""
END_THE_REST = """
INSERT INTO controls_implementationstatement
       (id, implementation_id, days, status, part_statuses, in_bulk, known_from)
SELECT statement_id, id, daterange(NULL, upgrade_day), status, parts, FALSE, instant
  FROM srm_stated WHERE NOT by_a_person
"""
KEEP_THE_REST_AS_KNOWN = """
INSERT INTO controls_implementationstatement_history
       (known_until, id, implementation_id, days, status, part_statuses, in_bulk,
        known_from)
SELECT instant, statement_id, id, '(,)', status, parts, FALSE, known_from
  FROM srm_stated WHERE NOT by_a_person
"""
KEEP_WHAT_WAS_SAID_BEFORE = """
INSERT INTO controls_implementationstatement_history
       (known_until, id, implementation_id, days, status, part_statuses, in_bulk,
        known_from)
SELECT h.known_until, statement_id, h.id, '(,)', h.implementation_status,
       h.part_statuses, FALSE, h.known_from
  FROM controls_controlimplementation_history h JOIN srm_stated USING (id)
"""
SHOW_WHAT_HOLDS_TODAY = """
UPDATE controls_controlimplementation i SET implementation_status = 'not-stated'
  FROM srm_stated WHERE srm_stated.id = i.id AND NOT by_a_person
"""
# Answers as known then look statements up by control, once for each control.
INDEX_OF_TWIN = """
CREATE INDEX IF NOT EXISTS controls_implementationstatement_history_control
    ON controls_implementationstatement_history (implementation_id)
"""


def keep_what_was_said(apps, schema_editor):
    """Write the statements of all controls, with their past; nothing to do if new."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(sql.history_table(TABLE))
        cursor.execute(INDEX_OF_TWIN)
        for column in ("stated_by_id", "stated_on", "change_id"):
            cursor.execute(sql.loosen(TABLE, column))
        cursor.execute("SELECT to_regclass('controls_controlimplementation_history')")
        if cursor.fetchone() == (None,):  # a new installation: there is nothing yet
            return
        for statement in (
            STATED,
            KEEP_WHAT_PERSONS_SAID,
            END_THE_REST,
            KEEP_THE_REST_AS_KNOWN,
            KEEP_WHAT_WAS_SAID_BEFORE,
            SHOW_WHAT_HOLDS_TODAY,
        ):
            cursor.execute(statement)


def forget_what_was_said(apps, schema_editor):
    """Drop the twin, and let the controls say what holds today."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "UPDATE controls_controlimplementation"
            " SET implementation_status = 'implemented'"
            " WHERE implementation_status = 'not-stated'"
        )
        cursor.execute(sql.drop_versions_view(TABLE))
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}_history")


class Migration(migrations.Migration):
    dependencies = [("controls", "0011_facts_have_days")]

    operations = [
        migrations.CreateModel(
            name="ImplementationStatement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "implementation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="controls.controlimplementation",
                    ),
                ),
                (
                    "stated_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="controls.retrospectivechange",
                    ),
                ),
                ("days", django.contrib.postgres.fields.ranges.DateRangeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("implemented", "Implemented"),
                            ("partial", "Partially implemented"),
                            ("planned", "Planned"),
                            ("alternative", "Alternative implementation"),
                        ],
                        max_length=12,
                    ),
                ),
                ("part_statuses", models.JSONField(blank=True, default=dict)),
                ("stated_on", models.DateField(null=True)),
                ("in_bulk", models.BooleanField(default=False)),
                (
                    "known_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="controlimplementation",
            name="implementation_status_known",
        ),
        migrations.AlterField(
            model_name="controlimplementation",
            name="implementation_status",
            field=models.CharField(
                choices=[
                    ("not-stated", "Not stated"),
                    ("implemented", "Implemented"),
                    ("partial", "Partially implemented"),
                    ("planned", "Planned"),
                    ("alternative", "Alternative implementation"),
                ],
                default="not-stated",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="controlimplementation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "implementation_status__in",
                        [
                            "not-stated",
                            "implemented",
                            "partial",
                            "planned",
                            "alternative",
                        ],
                    )
                ),
                name="implementation_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="implementationstatement",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("implementation", "="), ("days", "&&")],
                name="implementation_stated_once_for_a_day",
                violation_error_message="One of these days has a status already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="implementationstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__isempty", False)),
                name="implementation_statement_has_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="implementationstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["implemented", "partial", "planned", "alternative"])
                ),
                name="implementation_statement_known",
            ),
        ),
        migrations.RunPython(keep_what_was_said, forget_what_was_said),
    ]
