"""What is asked of one control gets the name RequirementControl, on the same table."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("evidence", "0014_leased_jobs")]

    operations = [
        migrations.AlterModelTable(
            name="EvidenceRequirement", table="evidence_evidencerequirement"
        ),
        migrations.RenameModel("EvidenceRequirement", "RequirementControl"),
    ]
