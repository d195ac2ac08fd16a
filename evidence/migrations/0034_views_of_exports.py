from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evidence", "0033_how_often_populations_are_drawn")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="filters",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                editable=False,
            ),
        ),
    ]
