"""Bytes that records of several systems rest on are removed by the officers of each."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# What was called done although the bytes stayed: a worker asks the other systems now.
NOT_DONE = """
UPDATE evidence_spillremoval SET destroyed_at = NULL, attempts = 0
 WHERE outcome = 'The bytes stay: evidence of another system holds the same ones.';
"""
REMOVED_IN = """
UPDATE evidence_blob b SET removed_in = systems.removed_in
  FROM (SELECT f.blob_id, array_agg(DISTINCT s.system_id) AS removed_in
          FROM evidence_spillremoval s JOIN evidence_evidencefile f ON f.id = s.file_id
         WHERE s.state = 'approved' GROUP BY f.blob_id) systems
 WHERE b.id = systems.blob_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0018_engagements_keep_their_history"),
        ("evidence", "0024_proof_is_found_by_its_period"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(NOT_DONE, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="blob",
            name="removed_in",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                blank=True,
                editable=False,
                null=True,
                size=None,
            ),
        ),
        migrations.RunSQL(REMOVED_IN, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="spillremoval",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="followers",
                to="evidence.spillremoval",
            ),
        ),
        migrations.AddField(
            model_name="spillremoval",
            name="kept_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="spillremoval",
            name="population",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removals",
                to="evidence.population",
            ),
        ),
        migrations.AlterField(
            model_name="spillremoval",
            name="file",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="removals",
                to="evidence.evidencefile",
            ),
        ),
        migrations.AlterField(
            model_name="spillremoval",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="spillremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("file__isnull", False), ("population", None)),
                    models.Q(("file", None), ("population__isnull", False)),
                    _connector="OR",
                ),
                name="removal_of_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="spillremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("follows", None), ("requested_by__isnull", False)),
                    models.Q(("follows__isnull", False), ("requested_by", None)),
                    _connector="OR",
                ),
                name="removal_asked_by_somebody_or_follows",
            ),
        ),
        migrations.AddConstraint(
            model_name="spillremoval",
            constraint=models.UniqueConstraint(
                fields=("follows", "system"), name="removal_follows_once_in_a_system"
            ),
        ),
    ]
