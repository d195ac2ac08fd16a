"""Controls by the auditors' marks as they were known at an instant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import connection

from controls.errors import Refused
from controls.models import Actor, Engagement, System
from evidence.models.marks import MarkState

NO_SUCH_MARKS = "Choose a state of the marks of an audit that you read."
# Who has no mark then has not begun.
STATES_THEN = """
SELECT m.implementation_id, m.state
  FROM evidence_controlmark_versions m
  JOIN controls_engagement e ON e.id = m.engagement_id
 WHERE e.uuid = %(engagement)s AND m.known_from < %(known_at)s
   AND (m.known_until IS NULL OR m.known_until >= %(known_at)s)
"""


def view_of_marks(engagement: Engagement, state: str) -> str:
    """What names the controls in one state of the marks of an engagement."""
    return f"{engagement.uuid}:{state}"


def keys_marked(keys: Sequence[int], mark: str, known_at: dt.datetime) -> list[int]:
    """Those of the controls that a text of `view_of_marks` means, in their order, by
    what was known before an instant. One statement."""
    engagement, _, state = mark.partition(":")
    with connection.cursor() as cursor:
        cursor.execute(
            STATES_THEN, {"engagement": engagement, "known_at": known_at.isoformat()}
        )
        states = dict(cursor.fetchall())
    return [key for key in keys if states.get(key, MarkState.NOT_STARTED) == state]


def refuse_marks_of_others(system: System, mark: str, *, by: Actor) -> None:
    """Raise Refused for marks of an audit that `by` does not read, or of another
    system; empty is none."""
    if not mark:
        return
    engagement, _, state = mark.partition(":")
    mine = Engagement.objects.open_to(by).filter(system=system)
    try:
        known = state in MarkState.values and mine.filter(uuid=engagement).exists()
    except ValidationError:  # no uuid
        known = False
    if not known:
        raise Refused({"mark": NO_SUCH_MARKS})
