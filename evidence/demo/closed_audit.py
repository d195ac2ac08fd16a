"""The demo's audit that is over: its window closed, exports kept, a finding since."""

from __future__ import annotations

import datetime as dt

from controls.models import ControlImplementation, Engagement, Membership, System
from evidence.demo.clock import DAY, instant_of, written_on
from evidence.demo.people import People
from evidence.exports.closing import confirm_closing, request_closing
from evidence.findings.recording import record_finding

WINDOW = (230, 51)  # days ago, both inclusive
ASKED, CLOSED, FOUND, ENDED = 48, 46, 30, 20  # days ago


def play_closed_audit(system: System, people: People, today: dt.date) -> None:
    """An audit of another firm, whose window was closed by olivia and audrey."""
    olivia, audrey = people["olivia"], people["audrey"]
    with written_on(today - 60 * DAY, 9):
        engagement = Engagement.objects.create(
            system=system,
            title="ISO 27001 surveillance audit",
            kind="iso",
            firm="Tidewater Certification",
            window_start=today - WINDOW[0] * DAY,
            window_end=today - WINDOW[1] * DAY,
        )
        grant = Membership.objects.create(
            system=system,
            user=audrey,
            role="auditor",
            engagement=engagement,
            starts_at=instant_of(today - 60 * DAY, 0),
            ends_at=instant_of(today + 20 * DAY, 0),
        )
    with written_on(today - ASKED * DAY, 10):
        closing = request_closing(
            engagement,
            note="All that was asked for is in; two periods were missed.",
            by=olivia,
            now=instant_of(today - ASKED * DAY, 10),
        )
    with written_on(today - CLOSED * DAY, 15):
        confirm_closing(closing, by=audrey, now=instant_of(today - CLOSED * DAY, 15))
    row = ControlImplementation.objects.get(system=system, control__ref_id="ra-5")
    with written_on(today - FOUND * DAY, 11):
        record_finding(
            row,
            title="One scan left out the machines of the reports",
            text="They were added to the list after the scan.",
            source="Internal review of the scans",
            severity="low",
            found_on=today - WINDOW[1] * DAY,
            by=people["oscar"],
        )
    # shortened once all is played: the verbs ask who is let in now
    Membership.objects.filter(pk=grant.pk).update(
        ends_at=instant_of(today - ENDED * DAY, 0)
    )
