"""What only a withdrawn report expected is asked of nobody: where such asks stand is to
be looked at anew."""

from django.db import migrations

MARK = """
INSERT INTO evidence_standingmark (requirement_id, written_by)
SELECT id, pg_current_xact_id()::text::bigint FROM evidence_evidencerequirement
 WHERE user_control_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("evidence", "0062_reports_in_a_package")]

    operations = [migrations.RunSQL(MARK, migrations.RunSQL.noop)]
