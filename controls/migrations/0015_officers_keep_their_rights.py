from django.db import migrations
from django.db.models import Max, Min, Q
from django.utils import timezone

ROLES = ("officer", "registrar")


def keep_rights(apps, schema_editor):
    """Whoever is an officer of some system now loses nothing by the upgrade.

    Until now such a person described systems and kept the register of reports; both
    roles last as long as the last of these roles in a system. Superusers may both
    without a row.
    """
    membership = apps.get_model("controls", "Membership")
    installation_role = apps.get_model("controls", "InstallationRole")
    now = timezone.now()
    officers = (
        membership.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=now),
            role="officer",
            starts_at__lte=now,
            user__is_active=True,
        )
        .values("user")
        .annotate(since=Min("starts_at"), until=Max("ends_at"))
        .order_by("user")
    )
    open_ended = set(
        membership.objects.filter(
            role="officer", starts_at__lte=now, ends_at=None
        ).values_list("user", flat=True)
    )
    installation_role.objects.bulk_create(
        installation_role(
            user_id=officer["user"],
            role=role,
            starts_at=officer["since"],
            ends_at=None if officer["user"] in open_ended else officer["until"],
        )
        for officer in officers
        for role in ROLES
    )


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0014_installation_roles"),
    ]

    operations = [
        # What the tables of before cannot say is dropped with its table.
        migrations.RunPython(keep_rights, migrations.RunPython.noop),
    ]
