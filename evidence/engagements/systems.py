"""Systems of an audit that is recorded: one added, one taken out.

The verbs are those of `controls.audit_systems`; what was closed or begun with is known
here. In a system where something was tested an audit is ended, not taken out.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from controls.access import require_officer
from controls.audit_systems import AddedSystem, add_system, running_in_audit
from controls.engagement_scope import named_in_words, record_taken_out
from controls.engagements import end_engagement
from controls.errors import Refused, TransitionNotAllowed
from controls.models import Actor, Engagement, System
from controls.reasons import refuse_long
from evidence.engagements.scope import begun_controls
from evidence.models import ClosingState, WindowClosing

CLOSED_IN = (
    "The window of this audit is closed in {system}: its auditors concluded on the"
    " systems of then. Record another audit."
)
CLOSED_HERE = "Its window is closed: this system stays in the audit."
ONLY_ONE = (
    "No other system of this audit runs: end the engagement instead, its record stays."
)
BEGUN_HERE = (
    "The auditors have begun with {controls} here: the system stays in the audit. End"
    " the engagement in this system instead; what they marked stays."
)
NO_REASON = "Say why it is taken out; it stands in the audit's record."


@transaction.atomic
def add_to_audit(
    engagement: Engagement,
    system: System,
    *,
    let_in: bool,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> AddedSystem:
    """As `add_system`; raises TransitionNotAllowed where a window of the audit is
    closed in any of its systems."""
    # whoever closes locks the engagement, too
    list(
        Engagement.objects.select_for_update(of=("self",))
        .filter(audit=engagement.audit)
        .order_by("pk")
    )
    require_officer(engagement.system, by)
    _refuse_closed(engagement)
    return add_system(
        engagement, system, let_in=let_in, by=by, now=now, version=version
    )


def _refuse_closed(engagement: Engagement) -> None:
    closed = WindowClosing.objects.filter(
        engagement__audit=engagement.audit, state=ClosingState.CLOSED
    ).select_related("system")
    if one := closed.order_by("pk").first():
        raise TransitionNotAllowed(CLOSED_IN.format(system=one.system))


@transaction.atomic
def take_out_of_audit(
    engagement: Engagement,
    *,
    reason: str,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> Engagement:
    """Take a system out of an audit from now on: its engagement ends, and the audit no
    longer covers it. For what is known before, it does.

    Raises NotPermitted, TransitionNotAllowed (ended, closed, the only one that runs, or
    begun with), StaleVersion, and Refused without a reason.
    """
    if not reason.strip():
        raise Refused({"reason": NO_REASON})
    refuse_long(reason)
    # holds the lock of the engagement: nobody marks or closes meanwhile
    ended = end_engagement(engagement, by=by, now=now, version=version)
    if ended.closings.filter(state=ClosingState.CLOSED).exists():
        raise TransitionNotAllowed(CLOSED_HERE)
    if not running_in_audit(ended):
        raise TransitionNotAllowed(ONLY_ONE)
    if begun := begun_controls(ended):
        text = BEGUN_HERE.format(controls=named_in_words(begun))
        raise TransitionNotAllowed(text)
    record_taken_out(ended, reason=reason, by=by)
    return ended
