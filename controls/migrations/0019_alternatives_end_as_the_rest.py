"""Ends of alternatives are asked for and decided as those of overrides are (R32)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0018_engagements_keep_their_history"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="alternativeimplementation",
            name="alternative_ended_by_another",
        ),
        migrations.RemoveConstraint(
            model_name="alternativeimplementation",
            name="alternative_state_has_its_people",
        ),
        migrations.RemoveConstraint(
            model_name="endrequest",
            name="end_request_of_one_thing",
        ),
        migrations.AddField(
            model_name="endrequest",
            name="alternative",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="end_requests",
                to="controls.alternativeimplementation",
            ),
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
                    ("ending", "Approved; its end is requested"),
                    ("ended", "Ended"),
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
                    ("ended_by", None),
                    models.Q(("ended_by", models.F("end_requested_by")), _negated=True),
                    _connector="OR",
                ),
                name="alternative_end_approved_by_another",
                violation_error_message="An alternative is ended by somebody who did not ask for its end.",
            ),
        ),
        migrations.AddConstraint(
            model_name="alternativeimplementation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by", None), ("state__in", ["requested", "lapsed"])
                    ),
                    models.Q(
                        models.Q(("state__in", ["requested", "lapsed"]), _negated=True),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="alternative_decided_by_somebody_or_lapsed",
            ),
        ),
        migrations.AddConstraint(
            model_name="endrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("alternative", None),
                        ("exclusion", None),
                        ("override__isnull", False),
                    ),
                    models.Q(
                        ("alternative", None),
                        ("exclusion__isnull", False),
                        ("override", None),
                    ),
                    models.Q(
                        ("alternative__isnull", False),
                        ("exclusion", None),
                        ("override", None),
                    ),
                    _connector="OR",
                ),
                name="end_request_of_exactly_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="endrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "requested")),
                fields=("alternative",),
                name="end_of_alternative_asked_once",
                violation_error_message="Its end is already asked for.",
            ),
        ),
    ]
