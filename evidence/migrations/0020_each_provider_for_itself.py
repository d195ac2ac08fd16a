"""Artifacts belong to a provider; sites in scope; three ends told apart; assessments.

Whatever is registered is AWS's. A report "withdrawn by the provider" went on counting,
which is what `superseded` says; `withdrawn` is from here on the auditor's, and takes
every day away. Both hold for the rows of the past too. Triggers rest meanwhile: nothing
became known today.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

from controls.history import twin

STATES = [
    ("active", "Active"),
    ("superseded", "Superseded: no longer offered"),
    ("revoked", "Revoked or suspended"),
    ("withdrawn", "Withdrawn by its auditor"),
]


def fill(apps, schema_editor):
    """What was withdrawn is superseded; twins know whose reports they were."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE;"
            " ALTER TABLE evidence_artifactversion DISABLE TRIGGER USER;"
            " UPDATE evidence_artifactversion SET state = 'superseded'"
            " WHERE state = 'withdrawn';"
            " ALTER TABLE evidence_artifactversion ENABLE TRIGGER USER;"
        )
        if twin.has_versions(cursor, "evidence_artifactversion"):
            cursor.execute(
                "UPDATE evidence_artifactversion_history SET sites = '{}',"
                " state = CASE state WHEN 'withdrawn' THEN 'superseded' ELSE state END;"
                " UPDATE evidence_artifact_history SET provider_slug = 'aws';"
            )


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0017_who_provides_a_component"),
        ("evidence", "0019_day_confirmed_by_reviewers"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="artifact", name="artifact_kind_known"),
        migrations.AddField(
            model_name="artifact",
            name="provider_slug",
            field=models.SlugField(
                db_default="aws", default="aws", editable=False, max_length=60
            ),
        ),
        migrations.AddField(
            model_name="artifactversion",
            name="sites",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60),
                blank=True,
                db_default=models.Value(
                    [],
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), size=None
                    ),
                ),
                default=list,
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="artifact",
            name="kind",
            field=models.CharField(
                choices=[
                    ("period", "Report over a period (SOC 2 Type II)"),
                    ("point", "Report of one date (Type I, PCI AOC)"),
                    ("certificate", "Certificate (ISO, HITRUST)"),
                    ("authorization", "Authorization (FedRAMP)"),
                    ("summary", "Public summary (SOC 3)"),
                    ("assessment", "Our own assessment of a provider without reports"),
                ],
                max_length=14,
            ),
        ),
        migrations.AlterField(
            model_name="artifact",
            name="scheme",
            field=models.CharField(
                choices=[
                    ("soc1", "SOC 1"),
                    ("soc2", "SOC 2"),
                    ("soc3", "SOC 3"),
                    ("c5", "C5"),
                    ("iso", "ISO 27001"),
                    ("hitrust", "HITRUST"),
                    ("pci", "PCI DSS"),
                    ("irap", "IRAP"),
                    ("fedramp", "FedRAMP"),
                    ("own", "Our own assessment"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="artifactversion",
            name="state",
            field=models.CharField(choices=STATES, default="active", max_length=10),
        ),
        migrations.AddConstraint(
            model_name="artifact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "period",
                            "point",
                            "certificate",
                            "authorization",
                            "summary",
                            "assessment",
                        ],
                    )
                ),
                name="artifact_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="artifact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "assessment"), _negated=True),
                    models.Q(("provider_slug", "aws"), _negated=True),
                    _connector="OR",
                ),
                name="assessment_is_not_of_aws",
                violation_error_message=(
                    "AWS issues reports; an assessment of our own is for a provider"
                    " that issues none."
                ),
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
