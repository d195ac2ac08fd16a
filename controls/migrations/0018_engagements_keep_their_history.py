"""What was known of an audit's window, and since when.

Engagements made before are known from the upgrade on: answers as known then were given
without them, and stay as they were.
"""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("controls", "0017_who_provides_a_component")]

    operations = [
        migrations.AddField(
            model_name="engagement",
            name="known_from",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
    ]
