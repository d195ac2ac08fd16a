"""Ends of alternatives that wait become requests of their own (R32)."""

from django.db import migrations

# On the day on which it was asked for, as the system counts days.
ENDS = """
INSERT INTO controls_endrequest (uuid, implementation_id, alternative_id,
       requested_by_id, reason, ends_from, requested_on, state, version, known_from)
SELECT gen_random_uuid(), a.implementation_id, a.id, a.end_requested_by_id,
       a.end_reason, a.ended_on,
       least((a.known_from AT TIME ZONE s.time_zone)::date, a.ended_on),
       'requested', 1, a.known_from
  FROM controls_alternativeimplementation a
  JOIN controls_controlimplementation i ON i.id = a.implementation_id
  JOIN controls_system s ON s.id = i.system_id
 WHERE a.state = 'ending';
"""
APPROVED = """
UPDATE controls_alternativeimplementation
   SET state = 'approved', ended_on = NULL, end_requested_by_id = NULL,
       end_reason = '', version = version + 1
 WHERE state = 'ending';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("controls", "0019_alternatives_end_as_the_rest"),
    ]

    operations = [
        migrations.RunSQL([ENDS, APPROVED], migrations.RunSQL.noop),
    ]
