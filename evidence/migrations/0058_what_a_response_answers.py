"""Responses keep what they were written about: days late, and events of a sample.

What was written before answers the deviations that were recorded by then, where its days
name one population only. How late a period or what of a sample was open then is not
known: such items are asked about anew.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

KNOWN_THEN = """
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE evidence_itemresponse DISABLE TRIGGER USER;
UPDATE evidence_itemresponse r SET events = kept.places
  FROM (SELECT s.id, array_agg(DISTINCT e.position ORDER BY e.position) AS places
          FROM evidence_itemresponse s
          JOIN evidence_evidencerequirement q ON q.implementation_id = s.implementation_id
          JOIN evidence_population p ON p.requirement_id = q.id
           AND p.starts = s.starts AND p.ends = s.ends
          JOIN evidence_sample m ON m.population_id = p.id
          JOIN evidence_sampleitem i ON i.sample_id = m.id
          JOIN evidence_populationitem e ON e.id = i.item_id
          JOIN evidence_deviation d ON d.sample_item_id = i.id
           AND d.known_from < s.known_from
         WHERE s.kind = 'deviation'
         GROUP BY s.id HAVING count(DISTINCT p.id) = 1) kept
 WHERE kept.id = r.id;
ALTER TABLE evidence_itemresponse ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [("evidence", "0057_who_set_a_scope")]

    operations = [
        migrations.AddField(
            model_name="itemresponse",
            name="late_days",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="itemresponse",
            name="events",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(),
                blank=True,
                default=list,
                size=None,
            ),
        ),
        migrations.RunSQL(KNOWN_THEN, migrations.RunSQL.noop),
    ]
