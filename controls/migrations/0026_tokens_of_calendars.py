"""A token may open a calendar feed only, and says when it was used last."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0025_auditors_once_at_a_time"),
        migrations.swappable_dependency(settings.KNOX_TOKEN_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="tokenscope",
            name="token_scope_known",
        ),
        migrations.AddField(
            model_name="tokenscope",
            name="last_used_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="tokenscope",
            name="scope",
            field=models.CharField(
                choices=[
                    ("read", "Read"),
                    ("write", "Read and write"),
                    ("calendar", "Calendar feed"),
                ],
                default="read",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenscope",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", ["read", "write", "calendar"])),
                name="token_scope_known",
            ),
        ),
    ]
