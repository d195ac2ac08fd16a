"""Invitations by mail; nobody holds a role of a system twice at a time."""

from __future__ import annotations

import uuid
from typing import Any

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text

from django.conf import settings
from django.core.management.base import CommandError
from django.db import migrations, models

MAX_SHOWN = 20
OVERLAPS = """
SELECT u.email, s.slug, a.role, a.id, b.id
  FROM controls_membership a
  JOIN controls_membership b ON b.user_id = a.user_id AND b.system_id = a.system_id
   AND b.id > a.id AND b.role = a.role AND b.team_id IS NOT DISTINCT FROM a.team_id
   AND tstzrange(a.starts_at, a.ends_at, '[)') && tstzrange(b.starts_at, b.ends_at, '[)')
  JOIN controls_user u ON u.id = a.user_id
  JOIN controls_system s ON s.id = a.system_id
 ORDER BY u.email, s.slug, a.id, b.id
"""


def name_overlaps(apps: Any, schema_editor: Any) -> None:
    """Raise CommandError, naming each pair of equal roles that overlap."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        pairs = cursor.fetchall()
    if not pairs:
        return
    lines = [
        f"  {email} in {slug}, {role}: memberships {one} and {two}"
        for email, slug, role, one, two in pairs
    ]
    more = [f"  and {len(lines) - MAX_SHOWN} more"] if len(lines) > MAX_SHOWN else []
    raise CommandError(
        "\n".join(
            [
                "Nothing was changed: these people hold the same role twice at the same"
                " time. End one of each two before the other begins (Admin,"
                " Memberships), then migrate again.",
                *lines[:MAX_SHOWN],
                *more,
            ]
        )
    )


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0031_token_for_exports"),
    ]

    operations = [
        migrations.RunPython(name_overlaps, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "uuid",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True),
                ),
                (
                    "address",
                    models.EmailField(max_length=254, verbose_name="mail address"),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("officer", "Compliance officer"),
                            ("contributor", "Contributor"),
                            ("reviewer", "Reviewer"),
                            ("auditor", "Auditor"),
                            ("reader", "Read only"),
                        ],
                        max_length=12,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("last_day", models.DateField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("accepted", "Accepted"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "invited_at",
                    models.DateTimeField(editable=False),
                ),
                ("mails", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("mailed_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "known_from",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="membership",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("user", "="),
                    ("system", "="),
                    ("role", "="),
                    (
                        django.db.models.functions.comparison.Coalesce(
                            "team", 0, output_field=models.BigIntegerField()
                        ),
                        "=",
                    ),
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
                name="membership_once_at_a_time",
                violation_error_message="This person holds that role at that time already.",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="engagement",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="controls.engagement",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="membership",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitation",
                to="controls.membership",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="system",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invitations",
                to="controls.system",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="controls.team",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "role__in",
                        ["officer", "contributor", "reviewer", "auditor", "reader"],
                    )
                ),
                name="invitation_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "accepted", "withdrawn"])),
                name="invitation_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state", "open")),
                    models.Q(
                        models.Q(("state", "open"), _negated=True),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="invitation_ended_unless_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("membership__isnull", False), ("state", "accepted")),
                    models.Q(
                        models.Q(("state", "accepted"), _negated=True),
                        ("membership", None),
                    ),
                    _connector="OR",
                ),
                name="invitation_accepted_with_its_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("last_day", None),
                    ("last_day__gte", models.F("starts_on")),
                    _connector="OR",
                ),
                name="invitation_days_ordered",
                violation_error_message="The last day is before the first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("address"),
                models.F("system"),
                models.F("role"),
                condition=models.Q(("state", "open")),
                name="invitation_open_once",
            ),
        ),
    ]
