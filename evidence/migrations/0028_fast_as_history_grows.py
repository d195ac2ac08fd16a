"""What was brought last is found without reading all that was ever brought."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while others write

    dependencies = [
        ("controls", "0023_fast_as_history_grows"),
        ("evidence", "0027_exports_that_end"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="evidencelink",
            index=models.Index(
                condition=models.Q(("state", "submitted")),
                fields=["submitted_at", "id"],
                name="link_waiting_longest",
            ),
        ),
        AddIndexConcurrently(
            model_name="evidencelink",
            index=models.Index(
                models.F("requirement"),
                models.F("state"),
                models.OrderBy(models.F("submitted_at"), descending=True),
                name="link_newest_of_requirement",
            ),
        ),
        AddIndexConcurrently(
            model_name="evidencelink",
            index=models.Index(
                condition=models.Q(
                    ("occurrence__isnull", False),
                    ("state__in", ["accepted", "submitted"]),
                ),
                fields=["requirement", "occurrence", "occurrence_ends"],
                name="link_answers_period",
            ),
        ),
    ]
