"""The proof that answers a period is found without reading all of its requirement."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0023_digests_of_first_asks"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="proof",
            name="proof_by_requirement",
        ),
        migrations.AddIndex(
            model_name="proof",
            index=models.Index(
                models.F("requirement"),
                models.F("half"),
                models.F("state"),
                models.OrderBy(models.F("ends"), descending=True),
                models.OrderBy(models.F("starts"), descending=True),
                models.OrderBy(models.F("link"), descending=True),
                include=(
                    "known_from",
                    "known_until",
                    "occurrence",
                    "implementation",
                    "holds_from",
                    "holds_until",
                    "occurrence_ends",
                ),
                name="proof_by_requirement",
            ),
        ),
        migrations.AddIndex(
            model_name="proof",
            index=models.Index(
                condition=models.Q(("half", "customer"), ("state", "accepted")),
                fields=["requirement", "occurrence", "starts", "link"],
                include=(
                    "ends",
                    "occurrence_ends",
                    "known_from",
                    "known_until",
                    "holds_from",
                    "holds_until",
                ),
                name="proof_by_occurrence",
            ),
        ),
    ]
