"""A team is told once of what fell due before it was asked (R31)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0022_rules_of_an_export"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="notice",
            name="notice_kind_known",
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("due-soon", "Due soon"),
                    ("overdue", "Overdue"),
                    ("asked-first", "Asked for earlier days"),
                    ("escalated", "Overdue for long"),
                    ("accepted", "Accepted"),
                    ("rejected", "Rejected"),
                    ("to-review", "Waits for your review"),
                    ("to-approve", "Waits for your approval"),
                    ("to-read", "AWS report to read"),
                    ("infected", "Virus found"),
                    ("unscannable", "Not scanned for viruses"),
                    ("asked", "Asked of you"),
                    ("asked-overdue", "Request overdue"),
                    ("answered", "Your request was answered"),
                    ("returned", "Your answer was returned"),
                ],
                max_length=14,
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "due-soon",
                            "overdue",
                            "asked-first",
                            "escalated",
                            "accepted",
                            "rejected",
                            "to-review",
                            "to-approve",
                            "to-read",
                            "infected",
                            "unscannable",
                            "asked",
                            "asked-overdue",
                            "answered",
                            "returned",
                        ],
                    )
                ),
                name="notice_kind_known",
            ),
        ),
    ]
