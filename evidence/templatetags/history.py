"""What the audit log says of the rows that a page is about."""

from __future__ import annotations

from typing import Any

from django import template

from controls.event_words import event_rows
from controls.models import AuditEvent

register = template.Library()
MAX_EVENTS = 30  # newest ones that a page shows


@register.inclusion_tag("evidence/event_log/partials/history.html", takes_context=True)
def history(context: dict[str, Any], *rows: Any) -> dict[str, Any]:
    """The newest events about rows that the reader of the page sees, in one statement.

    Only where the reader may read the log of their system. Each row has a `uuid`.
    """
    subjects = [row.uuid for row in rows]
    events = AuditEvent.objects.visible_to(context["request"].user)
    of_rows = events.filter(subject_uuid__in=subjects).order_by("-at", "-seq")
    return {"events": event_rows(of_rows[:MAX_EVENTS])}
