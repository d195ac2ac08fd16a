"""What falls due, as other calendars subscribe to it (iCalendar, RFC 5545)."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from icalendar import Calendar, Event

from controls.models import Actor, Role, System
from evidence.planning.calendar import (
    MAX_CALENDAR_DAYS,
    CalendarScope,
    Due,
    falling_due,
    own_teams,
)
from evidence.status.cadence import DAY

BEFORE = 31  # days of the past in the feed
MAX_ENTRIES = 2000  # more is nobody's calendar
# First and last days from today on, read one after another while there is room: of
# whoever has a thousand asks no year is made to be thrown away.
STEPS = (
    (0, 2 * BEFORE),
    (-BEFORE, -1),
    (2 * BEFORE + 1, 6 * BEFORE),
    (6 * BEFORE + 1, MAX_CALENDAR_DAYS - BEFORE - 1),
)
WORKERS = [Role.OFFICER, Role.CONTRIBUTOR, Role.REVIEWER]
NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:srm:falls-due")


def feed_of(user: Actor, now: dt.datetime) -> bytes:
    """What falls due for a person, from BEFORE days ago to about eleven months ahead,
    at most MAX_ENTRIES: its description says so.

    Of systems in which the person works; what an auditor reads is read on pages, where
    it is recorded. All-day entries; the address of each leads to the page about it.
    """
    systems = System.objects.held_as(user, WORKERS, now).distinct().order_by("name")
    entries = _next(user, list(systems), now)
    calendar = Calendar()
    calendar.add("prodid", "-//SRM//What falls due//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"SRM: what falls due for {user}")
    if len(entries) > MAX_ENTRIES:
        calendar.add(
            "x-wr-caldesc", f"{MAX_ENTRIES} entries of more, the next two months first."
        )
    for due in entries[:MAX_ENTRIES]:
        calendar.add_component(_event(due, now))
    return bytes(calendar.to_ical())


def _next(user: Actor, systems: list[System], now: dt.datetime) -> list[Due]:
    """Entries in the order of STEPS, one more than MAX_ENTRIES where there are more."""
    today, teams = now.date(), own_teams(user)
    entries: list[Due] = []
    for first, last in STEPS:
        scope = CalendarScope(today + DAY * first, today + DAY * last, systems, teams)
        entries += falling_due(scope, user=user, now=now)
        if len(entries) > MAX_ENTRIES:
            break
    return entries


def _event(due: Due, now: dt.datetime) -> Event:
    event = Event()
    control = f"{due.control}: " if due.control else ""
    event.add("uid", f"{uuid.uuid5(NAMES, f'{due.day} {due.kind} {due.path}')}@srm")
    event.add("dtstamp", now)
    event.add("dtstart", due.day)
    event.add("dtend", due.day + DAY)
    event.add("summary", f"{control}{due.title}")
    event.add("description", f"{due.system.name}: {due.word or due.kind}")
    event.add("url", f"{settings.SITE_URL}{due.path}")
    event.add("transp", "TRANSPARENT")  # keeps nobody's day busy
    return event
