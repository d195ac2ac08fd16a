"""Whoever asked for what a second officer decides takes it back before that."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0046_e_mail_address_of_invitations"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="alternativeimplementation",
            name="alternative_decided_by_somebody_or_lapsed",
        ),
        migrations.RemoveConstraint(
            model_name="retrospectivechange",
            name="retrospective_state_known",
        ),
        migrations.RemoveConstraint(
            model_name="retrospectivechange",
            name="retrospective_decided_by_somebody",
        ),
        migrations.AlterField(
            model_name="alternativeimplementation",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("lapsed", "Lapsed: nobody decided in time"),
                    ("withdrawn", "Taken back by who asked for it"),
                    ("ending", "Approved; its end is requested"),
                    ("ended", "Ended"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="applicabilitydecision",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("lapsed", "Lapsed: nobody decided in time"),
                    ("withdrawn", "Taken back by who asked for it"),
                    ("ended", "Ended: it applies again"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="endrequest",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("lapsed", "Lapsed: nobody decided in time"),
                    ("withdrawn", "Taken back by who asked for it"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="responsibilityoverride",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("lapsed", "Lapsed: nobody decided in time"),
                    ("withdrawn", "Taken back by who asked for it"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="retrospectivechange",
            name="state",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("approved", "Approved"),
                    ("refused", "Refused"),
                    ("lapsed", "Lapsed: nobody decided in time"),
                    ("withdrawn", "Taken back by who asked for it"),
                ],
                default="requested",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="alternativeimplementation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by", None),
                        ("state__in", ["requested", "lapsed", "withdrawn"]),
                    ),
                    models.Q(
                        models.Q(
                            ("state__in", ["requested", "lapsed", "withdrawn"]),
                            _negated=True,
                        ),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="alternative_decided_by_somebody_or_lapsed",
            ),
        ),
        migrations.AddConstraint(
            model_name="applicabilitydecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    ("decided_by", None),
                    _connector="OR",
                ),
                name="applicability_taken_back_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="endrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    ("decided_by", None),
                    _connector="OR",
                ),
                name="end_request_taken_back_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="responsibilityoverride",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), _negated=True),
                    ("decided_by", None),
                    _connector="OR",
                ),
                name="override_taken_back_undecided",
            ),
        ),
        migrations.AddConstraint(
            model_name="retrospectivechange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["requested", "approved", "refused", "lapsed", "withdrawn"],
                    )
                ),
                name="retrospective_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="retrospectivechange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by", None),
                        ("state__in", ["requested", "lapsed", "withdrawn"]),
                    ),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("state__in", ["approved", "refused"]),
                    ),
                    _connector="OR",
                ),
                name="retrospective_decided_by_somebody",
                violation_error_message="Somebody approves or refuses it.",
            ),
        ),
    ]
