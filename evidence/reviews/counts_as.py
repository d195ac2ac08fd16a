"""What a submission would count as, told to its reviewer before the decision (R14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from controls.grammar import count_of
from evidence.models import EvidenceLink
from evidence.reviews.late_recording import LateRecording, due_days, recorded_late


@dataclass(frozen=True)
class CountsAs:
    """How one link would count once accepted.

    `due_on` is the last day on which it is on time (None: it has none), `late_days`
    how long after it the control was performed, `recording` how late the evidence of a
    timely performance was brought. `words` and `state` are for the screen.
    """

    words: str
    state: str
    due_on: dt.date | None = None
    late_days: int = 0
    recording: LateRecording | None = None
    proves: str = ""

    @property
    def rank(self) -> int:
        """For the worst of several: the more days late, the higher."""
        return self.late_days or (self.recording.days if self.recording else 0)


def counts_as(links: Iterable[EvidenceLink]) -> dict[int, CountsAs]:
    """What each link would count as, by its key. Two statements at most.

    The links come with revision, requirement, sample item and system.
    """
    links = list(links)
    due = due_days(links)
    late = recorded_late(links, due)
    return {link.pk: _of(link, due, late.get(link.pk)) for link in links}


def _of(
    link: EvidenceLink, due: Mapping[int, dt.date], recording: LateRecording | None
) -> CountsAs:
    proves = _proves(link, recording)
    if link.requirement is None:
        return CountsAs("supplementary", "none", proves="nothing by itself")
    if link.sample_item_id:
        return CountsAs("a sampled item", "none", proves=proves)
    day = due.get(link.pk)
    if day is None:
        return CountsAs("on time", "on_time", proves=proves)
    late_days = (link.revision.performed_on - day).days
    if late_days > 0:
        words = f"late by {count_of(late_days, 'day')}"
        return CountsAs(words, "late", day, late_days, proves=proves)
    if recording is not None:
        words = f"recorded {count_of(recording.days, 'day')} late"
        return CountsAs(words, "late", day, recording=recording, proves=proves)
    return CountsAs("on time", "on_time", day, proves=proves)


def _proves(link: EvidenceLink, recording: LateRecording | None) -> str:
    """The days it would prove, as a phrase; both inclusive."""
    first, last = link.proves_from, link.proves_to
    if link.proves_no_day:
        return "no day: the due day of the next period had passed"
    whole = _days(first, last)
    if recording is None:
        return whole
    brought = recording.recorded_on
    rest = "no day" if last is not None and last < brought else _days(brought, last)
    return f"{whole} once the day is confirmed, else {rest}"


def _days(first: dt.date, last: dt.date | None) -> str:
    return f"{first} to {last}" if last else f"from {first} on, without end"
