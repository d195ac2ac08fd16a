"""A citation belongs to one system, and one made after a review waits.

What a series was cited for held in every system that has the control, from the day it
was cited until it was taken back. It becomes a citation of each of these systems with
the same days on the clock of knowledge, and counts at once as it did
(`counts_at_once`), so that answers as known then stay as they were. Systems described
later begin without.
"""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from controls.history import twin

# Each pair of a citation and a system with its control, now or at any time before. One
# of them keeps the old identifier, which scripts may know.
OF_SYSTEMS = """
SELECT row_number() OVER (PARTITION BY c.id ORDER BY i.system_id) = 1 AS first,
       i.system_id, c.artifact_id, c.control_id, c.cited_by_id, c.uuid, c.citation,
       c.known_from, {until}
  FROM {coverage} c
  JOIN (SELECT DISTINCT system_id, control_id
          FROM controls_controlimplementation_versions) i
    ON i.control_id = c.control_id
"""
COLUMNS = (
    "system_id, artifact_id, control_id, cited_by_id, uuid, citation, counts_at_once,"
    " known_from"
)
VALUES = """system_id, artifact_id, control_id, cited_by_id,
       CASE WHEN first THEN uuid ELSE gen_random_uuid() END, citation, TRUE, known_from
"""


def cite_in_each_system(apps, schema_editor):
    """Write the citations that the coverage of today and of the past amounts to."""
    with schema_editor.connection.cursor() as cursor:
        if not twin.has_versions(cursor, "evidence_artifactcoverage"):
            return  # a new database: nothing is cited, and its triggers come later
        twin.keep(cursor, "evidence_citation")
        now = OF_SYSTEMS.format(
            coverage="evidence_artifactcoverage", until="NULL AS known_until"
        )
        then = OF_SYSTEMS.format(
            coverage="evidence_artifactcoverage_history", until="c.known_until"
        )
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE;"
            " ALTER TABLE evidence_citation DISABLE TRIGGER USER"
        )
        cursor.execute(
            f"INSERT INTO evidence_citation ({COLUMNS}) SELECT {VALUES}"  # noqa: S608
            f" FROM ({now}) cited"
        )
        cursor.execute("ALTER TABLE evidence_citation ENABLE TRIGGER USER")
        cursor.execute(
            f"INSERT INTO evidence_citation_history ({COLUMNS}, id, known_until)"  # noqa: S608
            f" SELECT {VALUES},"
            " nextval(pg_get_serial_sequence('evidence_citation', 'id')),"
            f" known_until FROM ({then}) cited"
        )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("evidence", "0020_each_provider_for_itself"),
    ]

    operations = [
        migrations.CreateModel(
            name="Citation",
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
                    "uuid",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                (
                    "citation",
                    models.CharField(blank=True, default="", max_length=300),
                ),
                ("counts_at_once", models.BooleanField(default=False, editable=False)),
                (
                    "known_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
                (
                    "artifact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="citations",
                        to="evidence.artifact",
                    ),
                ),
                (
                    "cited_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "control",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="citations",
                        to="controls.control",
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="citations",
                        to="controls.system",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("system", "artifact", "control"),
                        name="artifact_cited_once_per_system_and_control",
                        violation_error_message="This artifact is already cited there.",
                    )
                ],
            },
        ),
        migrations.RunPython(cite_in_each_system, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="letteracceptance",
            name="letter",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acceptances",
                to="evidence.continuityletter",
            ),
        ),
        migrations.AddField(
            model_name="letteracceptance",
            name="citation",
            field=models.ForeignKey(
                db_constraint=False,
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="acceptances",
                to="evidence.citation",
            ),
        ),
        migrations.AddConstraint(
            model_name="letteracceptance",
            constraint=models.UniqueConstraint(
                fields=("citation",),
                name="citation_decided_once",
                violation_error_message="This citation is already decided.",
            ),
        ),
        migrations.AddConstraint(
            model_name="letteracceptance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("citation__isnull", False), ("letter__isnull", True)),
                    models.Q(("citation__isnull", True), ("letter__isnull", False)),
                    _connector="OR",
                ),
                name="acceptance_of_one_thing",
            ),
        ),
        migrations.AlterConstraint(
            model_name="letteracceptance",
            name="letter_reviewer_is_not_registrar",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reviewer", models.F("registered_by")), _negated=True),
                    models.Q(
                        ("reviewer", models.F("report_registered_by")), _negated=True
                    ),
                ),
                name="letter_reviewer_is_not_registrar",
                violation_error_message=(
                    "Somebody who registered neither it nor its report must decide on"
                    " it."
                ),
            ),
        ),
    ]
