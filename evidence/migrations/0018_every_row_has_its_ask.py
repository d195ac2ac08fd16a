"""No row of a control without the ask that names it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evidence", "0017_one_ask_for_each_row")]

    operations = [
        migrations.AlterField(
            model_name="requirementcontrol",
            name="ask",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="controls",
                to="evidence.evidencerequirement",
            ),
        ),
    ]
