"""An engagement ends, and may be of more kinds."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0034_a_version_replaced_before_it_began"),
    ]

    operations = [
        migrations.AddField(
            model_name="engagement",
            name="ended_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="engagement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("type1", "SOC 2 Type I"),
                    ("type2", "SOC 2 Type II"),
                    ("fr-initial", "FedRAMP initial assessment"),
                    ("fr-annual", "FedRAMP annual assessment"),
                    ("fedramp", "FedRAMP assessment"),
                    ("iso", "ISO 27001 audit"),
                    ("pci", "PCI DSS assessment"),
                    ("internal", "Internal audit"),
                    ("other", "Other"),
                ],
                max_length=10,
            ),
        ),
    ]
