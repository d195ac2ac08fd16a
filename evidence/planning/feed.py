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
WORKERS = [Role.OFFICER, Role.CONTRIBUTOR, Role.REVIEWER]
NAMES = uuid.uuid5(uuid.NAMESPACE_URL, "urn:srm:falls-due")


def feed_of(user: Actor, now: dt.datetime) -> bytes:
    """What falls due for a person, from BEFORE days ago to about eleven months ahead.

    Of systems in which the person works; what an auditor reads is read on pages, where
    it is recorded. All-day entries; the address of each leads to the page about it.
    """
    systems = System.objects.held_as(user, WORKERS, now).distinct().order_by("name")
    first = now.date() - DAY * BEFORE
    last = first + DAY * (MAX_CALENDAR_DAYS - 1)
    scope = CalendarScope(first, last, list(systems), own_teams(user))
    calendar = Calendar()
    calendar.add("prodid", "-//SRM//What falls due//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"SRM: what falls due for {user}")
    for due in falling_due(scope, user=user, now=now):
        calendar.add_component(_event(due, now))
    return bytes(calendar.to_ical())


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
