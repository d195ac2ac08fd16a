"""Who recorded a report's end; what was withdrawn may bind again, until a second person
of each system does not rely on it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Of the ends that were recorded before, the audit log names who did.
WHO = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE evidence_artifactversion DISABLE TRIGGER USER;
UPDATE evidence_artifactversion v SET ended_by_id = e.actor_id
  FROM (SELECT DISTINCT ON (subject_uuid) subject_uuid, actor_id
          FROM controls_auditevent
         WHERE verb IN ('artifact-version.superseded', 'artifact-version.revoked',
                        'artifact-version.withdrawn')
         ORDER BY subject_uuid, id DESC) e
 WHERE e.subject_uuid = v.uuid AND v.state <> 'active';
ALTER TABLE evidence_artifactversion ENABLE TRIGGER USER;
"""
MARK = """
INSERT INTO evidence_standingmark (requirement_id, written_by)
SELECT id, pg_current_xact_id()::text::bigint FROM evidence_evidencerequirement
 WHERE user_control_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0063_asks_of_withdrawn_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="artifactversion",
            name="ended_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(WHO, migrations.RunSQL.noop),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
    ]
