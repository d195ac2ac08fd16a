"""An auditor is let into a system once at a time; who was what, and since when.

Roles given before are known from the upgrade on.
"""

from __future__ import annotations

from typing import Any

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
from django.core.management.base import CommandError
from django.db import migrations, models
from django.db.models.functions import Now

MAX_SHOWN = 20
OVERLAPS = """
SELECT u.email, s.slug, a.id, a.starts_at, a.ends_at, b.id, b.starts_at, b.ends_at
  FROM controls_membership a
  JOIN controls_membership b ON b.user_id = a.user_id AND b.system_id = a.system_id
   AND b.id > a.id AND b.role = 'auditor'
   AND tstzrange(a.starts_at, a.ends_at, '[)') && tstzrange(b.starts_at, b.ends_at, '[)')
  JOIN controls_user u ON u.id = a.user_id
  JOIN controls_system s ON s.id = a.system_id
 WHERE a.role = 'auditor'
 ORDER BY u.email, s.slug, a.id, b.id
"""


def name_overlaps(apps: Any, schema_editor: Any) -> None:
    """Raise CommandError, naming each pair of grants that overlap."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        pairs = cursor.fetchall()
    if not pairs:
        return
    lines = [
        f"  {email} in {slug}: membership {one} from {one_from:%Y-%m-%d %H:%M} until"
        f" {one_to:%Y-%m-%d %H:%M} and {two} from {two_from:%Y-%m-%d %H:%M} until"
        f" {two_to:%Y-%m-%d %H:%M} (UTC)"
        for email, slug, one, one_from, one_to, two, two_from, two_to in pairs
    ]
    more = [f"  and {len(lines) - MAX_SHOWN} more"] if len(lines) > MAX_SHOWN else []
    raise CommandError(
        "\n".join(
            [
                "Nothing was changed: these auditors are let into a system twice at the"
                " same time. End one of each two before the other begins (Admin,"
                " Memberships), then migrate again.",
                *lines[:MAX_SHOWN],
                *more,
            ]
        )
    )


class Migration(migrations.Migration):
    dependencies = [("controls", "0024_plain_sentences_of_controls")]

    operations = [
        migrations.RunPython(name_overlaps, migrations.RunPython.noop),
        migrations.AddField(
            model_name="membership",
            name="known_from",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("role", "auditor")),
                expressions=[
                    ("user", "="),
                    ("system", "="),
                    (
                        models.Func(
                            "starts_at",
                            "ends_at",
                            models.Value("[)"),
                            function="tstzrange",
                            output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                        ),
                        "&&",
                    ),
                ],
                name="membership_auditor_once_at_a_time",
                violation_error_message="This auditor is let in at that time already.",
            ),
        ),
    ]
