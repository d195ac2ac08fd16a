"""The newest events of one kind are found without reading the whole chain."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # made while others write

    dependencies = [
        ("controls", "0022_two_officers_for_what_a_system_is_judged_by"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="auditevent",
            index=models.Index(
                fields=["chain", "verb", "-seq"], name="audit_newest_of_verb"
            ),
        ),
    ]
