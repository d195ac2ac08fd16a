"""A worker's part in stories of mails: what waits to be sent is sent now."""

from __future__ import annotations

import datetime as dt

from controls.history.clock import knowledge_now
from evidence.jobs.leases import due
from evidence.jobs.work import work_on
from evidence.notices.invitations import INVITATION_MAILS


def send_waiting_mails(*, later: dt.timedelta = dt.timedelta()) -> int:
    """Work on each mail of an invitation that is due so much later; how many."""

    def clock() -> dt.datetime:
        return knowledge_now() + later

    keys = list(due(INVITATION_MAILS, clock()).values_list("pk", flat=True))
    for pk in keys:
        work_on(INVITATION_MAILS, pk, clock)
    return len(keys)
