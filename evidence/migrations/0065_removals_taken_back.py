"""Whoever asked for a removal takes it back while nobody has decided."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0047_requests_taken_back"),
        ("evidence", "0064_who_ended_a_report"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="reportfileremoval",
            name="report_removal_state_known",
        ),
        migrations.RemoveConstraint(
            model_name="reportfileremoval",
            name="report_removal_decided_by_somebody",
        ),
        migrations.RemoveConstraint(
            model_name="reportfileremoval",
            name="report_removal_once_per_file",
        ),
        migrations.RemoveConstraint(
            model_name="spillremoval",
            name="removal_state_known",
        ),
        migrations.RemoveConstraint(
            model_name="spillremoval",
            name="removal_once_per_file",
        ),
        migrations.AlterField(
            model_name="reportfileremoval",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("withdrawn", "Taken back by who asked for it"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="spillremoval",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("withdrawn", "Taken back by who asked for it"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="reportfileremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["requested", "approved", "refused", "withdrawn"])
                ),
                name="report_removal_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportfileremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by", None), ("state__in", ["requested", "withdrawn"])
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("state__in", ["approved", "refused"]),
                    ),
                    _connector="OR",
                ),
                name="report_removal_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportfileremoval",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ["refused", "withdrawn"]), _negated=True
                ),
                fields=("file",),
                name="report_removal_once_per_file",
                violation_error_message="Its removal is already asked for.",
            ),
        ),
        migrations.AddConstraint(
            model_name="spillremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["requested", "approved", "refused", "withdrawn"])
                ),
                name="removal_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="spillremoval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    ("decided_by", None),
                    _connector="OR",
                ),
                name="removal_taken_back_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="spillremoval",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ["refused", "withdrawn"]), _negated=True
                ),
                fields=("file",),
                name="removal_once_per_file",
                violation_error_message="Its removal is already asked for.",
            ),
        ),
    ]
