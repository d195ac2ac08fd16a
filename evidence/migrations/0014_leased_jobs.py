"""Columns of the one leased job. Code of the version before does not see them."""

from typing import Any

from django.db import migrations, models

MODELS = ("blob", "export", "noticemail", "spillremoval")
# So far every failed scan was counted, an absent scanner's as well.
COUNT_SCANS_ANEW = """
UPDATE evidence_blob SET scan_attempts = 0
 WHERE scan_state IN ('pending', 'error') AND scan_attempts > 0
"""


def moment(**options: Any) -> Any:
    return models.DateTimeField(blank=True, null=True, **options)


def columns(model: str) -> list[Any]:
    """What every kind of job gains: empty, or counted by the database."""
    return [
        migrations.AddField(model, "due_at", moment()),
        migrations.AddField(model, "given_up_at", moment()),
        migrations.AddField(
            model,
            "lease_token",
            models.UUIDField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(model, "waiting_since", moment()),
        migrations.AddField(
            model, "waits", models.PositiveIntegerField(db_default=0, default=0)
        ),
    ]


def attempts() -> Any:
    return models.PositiveSmallIntegerField(db_default=0, default=0)


class Migration(migrations.Migration):
    dependencies = [
        ("evidence", "0013_letters_wait_for_a_second_person"),
    ]

    operations = [
        # The two columns of a scan keep their names in the database.
        migrations.AlterField(
            "blob",
            "scan_attempts",
            models.PositiveIntegerField(
                db_column="scan_attempts", db_default=0, default=0
            ),
        ),
        migrations.RenameField("blob", "scan_attempts", "attempts"),
        migrations.AlterField(
            "blob", "scan_leased_until", moment(db_column="scan_leased_until")
        ),
        migrations.RenameField("blob", "scan_leased_until", "leased_until"),
        migrations.AlterField("export", "attempts", attempts()),
        migrations.AlterField("noticemail", "attempts", attempts()),
        migrations.AddField("spillremoval", "attempts", attempts()),
        migrations.AddField("spillremoval", "leased_until", moment()),
        *[operation for model in MODELS for operation in columns(model)],
        migrations.RunSQL(COUNT_SCANS_ANEW, migrations.RunSQL.noop),
    ]
