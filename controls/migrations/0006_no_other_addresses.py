"""allauth's own list of addresses is emptied: only `User.email` counts.

Lost: further addresses that people had added, confirmed or not. They could sign in with
each of them, and get links to new passwords there. `User.email`, their primary address,
stays what it is.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations


def forget_other_addresses(apps: Any, schema_editor: Any) -> None:
    """Delete every row, with the confirmations that hang on them."""
    apps.get_model("account", "EmailAddress").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0005_address_changes"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [
        # Nothing to put back: the rows are made again where they are needed.
        migrations.RunPython(forget_other_addresses, migrations.RunPython.noop),
    ]
