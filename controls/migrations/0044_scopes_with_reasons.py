"""A scope may become narrower, with a reason, and say that a system is taken out.

The trigger that let it only widen goes; `srm_scope_stays` takes its place, installed after
every migrate.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0043_decision_recorded_last"),
    ]

    operations = [
        migrations.RunSQL(
            "DROP TRIGGER IF EXISTS srm_scope_only_widens ON controls_engagementscope;"
            "DROP FUNCTION IF EXISTS srm_scope_only_widens()",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="engagementscope",
            name="chooser_name",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="engagementscope",
            name="covered",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="engagementscope",
            name="reason",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddConstraint(
            model_name="engagementscope",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("covered", True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="engagement_scope_taken_out_with_reason",
                violation_error_message="Say why the system is taken out of the audit.",
            ),
        ),
    ]
