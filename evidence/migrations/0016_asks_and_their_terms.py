"""Asks above the rows of controls, their terms with days, and proof by day asked about."""

import datetime
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0010_changes_in_retrospect"),
        ("evidence", "0015_requirement_of_one_control"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EvidenceRequirement",
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
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "known_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            ],
            options={
                "db_table": "evidence_requirement",
            },
        ),
        migrations.CreateModel(
            name="RequirementTerms",
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
                ("days", django.contrib.postgres.fields.ranges.DateRangeField()),
                ("title", models.CharField(max_length=200)),
                ("guidance", models.TextField(blank=True, default="")),
                ("good_proof", models.TextField(blank=True, default="")),
                (
                    "cadence",
                    models.CharField(
                        choices=[
                            ("once", "Once"),
                            ("weekly", "Weekly"),
                            ("monthly", "Monthly"),
                            ("quarterly", "Quarterly"),
                            ("half-yearly", "Half-yearly"),
                            ("yearly", "Yearly"),
                            ("per-event", "Per event"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("design", "Design"), ("operation", "Operation")],
                        default="operation",
                        max_length=10,
                    ),
                ),
                ("grace_days", models.PositiveSmallIntegerField()),
                ("lead_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "known_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            ],
            options={
                "db_table": "evidence_requirementterms",
            },
        ),
        migrations.RemoveConstraint(
            model_name="evidencelink",
            name="revision_linked_once",
        ),
        migrations.RemoveConstraint(
            model_name="proof",
            name="proof_one_current_row_per_link",
        ),
        migrations.RemoveIndex(
            model_name="proof",
            name="proof_by_requirement",
        ),
        migrations.AddField(
            model_name="evidencelink",
            name="occurrence_ends",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="proof",
            name="holds_from",
            field=models.DateField(
                db_default=models.Value(datetime.date(1, 1, 1)),
                default=datetime.date(1, 1, 1),
            ),
        ),
        migrations.AddField(
            model_name="proof",
            name="holds_until",
            field=models.DateField(
                db_default=models.Value(datetime.date(9999, 12, 31)),
                default=datetime.date(9999, 12, 31),
            ),
        ),
        migrations.AddField(
            model_name="proof",
            name="occurrence_ends",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="requirementcontrol",
            name="what_it_shows",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200
            ),
        ),
        migrations.AddIndex(
            model_name="proof",
            index=models.Index(
                models.F("requirement"),
                models.F("half"),
                models.F("state"),
                models.OrderBy(models.F("ends"), descending=True),
                models.OrderBy(models.F("starts"), descending=True),
                models.OrderBy(models.F("link"), descending=True),
                include=(
                    "known_from",
                    "known_until",
                    "occurrence",
                    "implementation",
                    "holds_from",
                    "holds_until",
                ),
                name="proof_by_requirement",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidencelink",
            constraint=models.UniqueConstraint(
                fields=(
                    "revision",
                    "implementation",
                    "requirement",
                    "half",
                    "sample_item",
                    "occurrence",
                    "occurrence_ends",
                ),
                name="revision_linked_once",
                nulls_distinct=False,
                violation_error_message="This evidence is already attached to this control.",
            ),
        ),
        migrations.AddConstraint(
            model_name="proof",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known_until", None)),
                fields=("link", "holds_from"),
                name="proof_one_current_row_per_link_and_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="proof",
            constraint=models.CheckConstraint(
                condition=models.Q(("holds_from__lt", models.F("holds_until"))),
                name="proof_holds_on_a_day",
            ),
        ),
        migrations.AddField(
            model_name="evidencerequirement",
            name="system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="asks",
                to="controls.system",
            ),
        ),
        migrations.AddField(
            model_name="requirementcontrol",
            name="ask",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="controls",
                to="evidence.evidencerequirement",
            ),
        ),
        migrations.AddField(
            model_name="requirementterms",
            name="ask",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="terms",
                to="evidence.evidencerequirement",
            ),
        ),
        migrations.AddField(
            model_name="requirementterms",
            name="change",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="controls.retrospectivechange",
            ),
        ),
        migrations.AddField(
            model_name="requirementterms",
            name="owner_team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="controls.team",
            ),
        ),
        migrations.AddConstraint(
            model_name="requirementterms",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("ask", "="), ("days", "&&")],
                name="terms_one_in_force",
                violation_error_message="Other terms hold on some of these days.",
            ),
        ),
        migrations.AddConstraint(
            model_name="requirementterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("days__isempty", False)),
                name="terms_hold_on_a_day",
                violation_error_message="Terms hold for a day at least.",
            ),
        ),
        migrations.AddConstraint(
            model_name="requirementterms",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "cadence__in",
                        [
                            "once",
                            "weekly",
                            "monthly",
                            "quarterly",
                            "half-yearly",
                            "yearly",
                            "per-event",
                        ],
                    )
                ),
                name="terms_cadence_known",
            ),
        ),
    ]
