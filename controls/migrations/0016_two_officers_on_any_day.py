"""Long grace and the end of a last ask wait for two officers from any day."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("controls", "0015_officers_keep_their_rights")]

    operations = [
        migrations.RemoveConstraint(
            model_name="retrospectivechange", name="retrospective_first_day_lies_back"
        ),
        migrations.AddConstraint(
            model_name="retrospectivechange",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_day__lt", models.F("requested_on")))
                | models.Q(("kind__in", ("long-grace", "retire-last"))),
                name="retrospective_first_day_lies_back",
                violation_error_message=(
                    "A change from today on, or from a later day, needs no second"
                    " officer."
                ),
            ),
        ),
    ]
