"""A component of a third party says who provides it: each is a provider of its own.

Components that are there keep "": the third party that goes by the service's name. The
twin's rows get it too, so that answers as known then read the same.
"""

from django.db import migrations, models

from controls.history import twin


def fill_the_twin(apps, schema_editor):
    """What rows said before today: nothing, as the rows themselves."""
    with schema_editor.connection.cursor() as cursor:
        if twin.has_versions(cursor, "controls_systemcomponent"):
            cursor.execute(
                "UPDATE controls_systemcomponent_history SET provided_by = ''"
            )


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0016_two_officers_on_any_day"),
    ]

    operations = [
        migrations.AddField(
            model_name="systemcomponent",
            name="provided_by",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=60
            ),
        ),
        migrations.RunPython(fill_the_twin, migrations.RunPython.noop),
    ]
