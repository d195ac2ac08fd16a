"""What a system is judged by can turn a lapse green: two officers, whatever day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controls", "0021_what_a_system_is_judged_by")]

    operations = [
        migrations.RemoveConstraint(
            model_name="retrospectivechange", name="retrospective_first_day_lies_back"
        ),
        migrations.AddConstraint(
            model_name="retrospectivechange",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_day__lt", models.F("requested_on")))
                | models.Q(("kind__in", ("long-grace", "retire-last", "system-terms"))),
                name="retrospective_first_day_lies_back",
                violation_error_message=(
                    "A change from today on, or from a later day, needs no second"
                    " officer."
                ),
            ),
        ),
    ]
