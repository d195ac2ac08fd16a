"""Reviews say whether late evidence itself shows the day, and where (R14)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0018_every_row_has_its_ask"),
    ]

    operations = [
        migrations.AddField(
            model_name="populationreview",
            name="day_confirmed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="populationreview",
            name="day_shown_by",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="review",
            name="day_confirmed",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="review",
            name="day_shown_by",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddConstraint(
            model_name="populationreview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("day_confirmed", False),
                    models.Q(("day_shown_by", ""), _negated=True),
                    _connector="OR",
                ),
                name="population_day_confirmed_says_where",
                violation_error_message="Say where the evidence shows the day: a ticket, a log, a signature.",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("day_confirmed", False),
                    models.Q(("day_shown_by", ""), _negated=True),
                    _connector="OR",
                ),
                name="review_day_confirmed_says_where",
                violation_error_message="Say where the evidence shows the day: a ticket, a log, a signature.",
            ),
        ),
    ]
