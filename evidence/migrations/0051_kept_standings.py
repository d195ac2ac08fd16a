"""Where each row that is asked stands is kept; until it is made, every row is marked."""

import django.db.models.deletion
from django.db import migrations, models

MARK_ALL = """
INSERT INTO evidence_standingmark (requirement_id, written_by)
SELECT id, pg_current_xact_id()::text::bigint FROM evidence_evidencerequirement
"""


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0038_roles_by_groups"),
        ("evidence", "0050_alarms_of_the_audit_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="StandingMark",
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
                ("requirement_id", models.BigIntegerField(db_index=True)),
                ("written_by", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="AskStanding",
            fields=[
                (
                    "requirement",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="evidence.requirementcontrol",
                    ),
                ),
                ("ask_key", models.BigIntegerField()),
                ("operates_from", models.DateField()),
                ("operates_until", models.DateField(null=True)),
                ("waiting", models.BooleanField()),
                ("rejected", models.BooleanField()),
                ("proven", models.BooleanField()),
                ("due", models.DateField(null=True)),
                ("soon_from", models.DateField(null=True)),
                ("open_due", models.DateField(null=True)),
                ("has_periods", models.BooleanField()),
                ("holds_from", models.DateField()),
                ("holds_until", models.DateField()),
                (
                    "system",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="controls.system",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="controls.team",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["system", "team"], name="standing_of_team")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("holds_from__lt", models.F("holds_until"))),
                        name="standing_holds_on_a_day",
                    )
                ],
            },
        ),
        # rows are made before the triggers that mark them are: nothing is missed
        migrations.RunSQL(MARK_ALL, migrations.RunSQL.noop),
    ]
