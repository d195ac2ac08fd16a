"""Reviewers' queues are put in order and counted by an index alone."""

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while others write

    dependencies = [
        ("evidence", "0058_what_a_response_answers"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="evidencelink",
            index=models.Index(
                condition=models.Q(("state", "submitted")),
                fields=["system", "submitted_at"],
                include=[
                    "id",
                    "revision",
                    "occurrence_ends",
                    "proves_from",
                    "submitted_by",
                ],
                name="link_on_the_desk",
            ),
        ),
        AddIndexConcurrently(
            model_name="evidencelink",
            index=models.Index(
                models.F("requirement"),
                models.OrderBy(models.F("proves_to"), descending=True),
                models.F("proves_from"),
                condition=models.Q(("proves_to__isnull", False), ("state", "accepted")),
                name="link_proves_longest",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="evidencelink",
            name="link_awaiting_review",
        ),
    ]
