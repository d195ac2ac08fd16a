"""Who may write into an audit: its auditors, while they are let in; nobody else.

`may_...` answers, `require_...` raises NotPermitted.
"""

from __future__ import annotations

from controls.access import is_officer
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.models import Actor, Engagement

ONLY_AUDITORS = (
    "Only the auditors of this engagement write here, while they are let in."
)


def may_mark(engagement: Engagement, *, by: Actor) -> bool:
    """Whether `by` audits in this engagement now. Officers and superusers never."""
    if not by.is_active:
        return False
    mine = Engagement.objects.audited_by(by)
    return bool(mine.filter(pk=engagement.pk).exists())


def require_marker(engagement: Engagement, *, by: Actor) -> None:
    """Raise NotPermitted for anybody but who audits in it now."""
    if not may_mark(engagement, by=by):
        raise NotPermitted(ONLY_AUDITORS)


def may_ask_to_close(engagement: Engagement, *, by: Actor) -> bool:
    """Whether `by` is an officer of the system, while the engagement runs."""
    return engagement.ended_at is None and is_officer(by, engagement.system)


def locked_for_marking(engagement: Engagement, *, by: Actor) -> Engagement:
    """The engagement under a lock, so that it does not end meanwhile.

    Raises TransitionNotAllowed where it has ended, NotPermitted where `by` does not
    audit in it.
    """
    rows = Engagement.objects.select_for_update(of=("self",)).select_related("system")
    stored: Engagement = rows.get(pk=engagement.pk)
    if stored.ended_at is not None:
        raise TransitionNotAllowed(
            "This engagement has ended: its marks stay as they are."
        )
    if not may_mark(stored, by=by):
        raise NotPermitted(ONLY_AUDITORS)
    return stored
