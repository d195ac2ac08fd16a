from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evidence", "0035_formats_of_exports")]

    operations = [
        migrations.AlterField(
            model_name="export",
            name="kind",
            field=models.CharField(
                choices=[
                    ("status-csv", "Control status (CSV)"),
                    ("status-xlsx", "Control status (XLSX)"),
                    ("status-pdf", "Status report (PDF)"),
                    ("fedramp-crm", "FedRAMP CIS/CRM workbook"),
                    ("evidence-package", "Evidence package"),
                ],
                default="status-csv",
                max_length=20,
            ),
        ),
    ]
