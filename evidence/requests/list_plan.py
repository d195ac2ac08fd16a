"""What a list of requests would ask, row by row, and why a row is not understood."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.text import Truncator

from controls.control_ids import normalised_id
from controls.models import (
    ControlImplementation,
    Engagement,
    Membership,
    Role,
    System,
    Team,
)
from controls.spreadsheets import LOCAL_TIME, Place, no_day, number_as_day
from evidence.models.requests import MAX_NUMBER, EvidenceRequestState
from evidence.requests.list_rows import ListedRow, RequestFile, RowFault, several
from evidence.requests.requests import MAX_CONTROLS, MAX_DUE_AHEAD, WHOLE_BASELINE
from evidence.status.clock_parameters import ClockError, parse_day
from evidence.status.control_status import listed, moment_of

MAX_TITLE = 200  # characters
MAX_WHAT = 4_000
NAMED_IN_A_SENTENCE = 5


@dataclass(frozen=True)
class ListedRequest:
    """One row as it would be asked. `due_on` is inclusive."""

    place: Place
    number: str
    title: str
    what: str
    controls: tuple[ControlImplementation, ...]
    team: Team
    due_on: dt.date


@dataclass(frozen=True)
class AskedBefore:
    """A row whose number is asked in the engagement already: it asks nothing anew."""

    place: Place
    number: str
    title: str


@dataclass(frozen=True)
class ListPlan:
    """All rows of a list: each is asked, asked before, or wrong with a reason."""

    requests: tuple[ListedRequest, ...]
    before: tuple[AskedBefore, ...]
    faults: tuple[RowFault, ...]
    notes: tuple[str, ...]

    @property
    def lines_with_faults(self) -> int:
        """How many rows are not understood."""
        places = {(fault.place.sheet, fault.place.line) for fault in self.faults}
        return len(places)


@dataclass(frozen=True)
class Defaults:
    """What holds where a row says nothing: the day (inclusive), and a team."""

    due_on: dt.date
    team: Team | None = None


def plan_list(
    engagement: Engagement, read: RequestFile, defaults: Defaults, *, today: dt.date
) -> ListPlan:
    """What the rows would ask. A constant number of statements, however many rows."""
    planner = _Planner(engagement, defaults, today)
    for row in read.rows:
        planner.take(row)
    return ListPlan(
        tuple(planner.requests),
        tuple(planner.before),
        tuple(planner.faults),
        tuple(read.notes),
    )


def contributing_teams(system: System) -> list[Team]:
    """The teams that may be asked something in a system, by name."""
    roles = Membership.objects.active().filter(system=system, role=Role.CONTRIBUTOR)
    return list(Team.objects.filter(pk__in=roles.values("team")).order_by("name"))


@dataclass(frozen=True)
class _Named:
    """The controls of a system by what people write for them."""

    by_ref_id: Mapping[str, ControlImplementation]
    by_number: Mapping[str, Sequence[ControlImplementation]]

    @classmethod
    def of(cls, system: System, today: dt.date) -> _Named:
        """By id, and by the numbers of the regime that stand beside them today."""
        rows = system.implementations.select_related("control", "owner_team")
        by_key = {row.pk: row for row in rows}
        by_number: defaultdict[str, list[ControlImplementation]] = defaultdict(list)
        for shown in listed(system, moment_of(system, today, None)):
            for number in shown["regime_numbers"]:
                by_number[number.lower()].append(by_key[shown["id"]])
        by_ref_id = {row.control.ref_id: row for row in by_key.values()}
        return cls(by_ref_id, by_number)

    def meant_by(self, text: str) -> Sequence[ControlImplementation]:
        """The control of an id, or all of a number of the regime, of a family or, for
        `all`, of the baseline; empty for none of them."""
        row = self.by_ref_id.get(normalised_id(text))
        if row:
            return [row]
        if of_number := self.by_number.get(text.lower()):
            return of_number
        every = text.lower() == WHOLE_BASELINE
        return [
            row
            for row in self.by_ref_id.values()
            if every or row.control.family == text.lower()
        ]


@dataclass
class _Planner:
    engagement: Engagement
    defaults: Defaults
    today: dt.date
    requests: list[ListedRequest] = field(default_factory=list)
    before: list[AskedBefore] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    first_places: dict[str, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.system = self.engagement.system
        self.named = _Named.of(self.system, self.today)
        teams = contributing_teams(self.system)
        self.teams = {team.pk: team for team in teams}
        self.teams_by_name = {team.name.lower(): team for team in teams}
        self.teams_by_name |= {team.slug: team for team in teams}
        standing = self.engagement.requests.exclude(
            state=EvidenceRequestState.CANCELLED
        )
        titles = standing.exclude(number="").values_list("number", "title")
        self.titles_by_number = dict(titles)

    def take(self, row: ListedRow) -> None:
        """Place a row, or say what is wrong with it."""
        broken = row.line.fault_in(row.columns.values())
        if broken:
            place = row.line.place(broken.column)
            self.faults.append(RowFault(place, broken.sentence))
            return
        faults_before = len(self.faults)
        number = self._number(row)
        if number in self.titles_by_number and len(self.faults) == faults_before:
            self.before.append(
                AskedBefore(row.place(), number, self.titles_by_number[number])
            )
            return
        title, what = self._words(row)
        controls = self._controls(row)
        team = self._team(row, controls)
        due_on = self._due_on(row)
        if len(self.faults) > faults_before or team is None or due_on is None:
            return
        self.requests.append(
            ListedRequest(row.place(), number, title, what, controls, team, due_on)
        )

    def _refuse(self, row: ListedRow, name: str, message: str) -> None:
        self.faults.append(RowFault(row.place(name), message))

    def _number(self, row: ListedRow) -> str:
        number = row.text("number")
        if not number:
            self._refuse(row, "number", "It has no number.")
        elif len(number) > MAX_NUMBER:
            self._refuse(
                row,
                "number",
                f"A number has at most {MAX_NUMBER} characters, this has"
                f" {len(number)}.",
            )
        elif "\0" in number:
            self._refuse(row, "number", "A cell holds a character that is no text.")
        else:
            first = self.first_places.setdefault(number, row.place())
            if first != row.place():
                sentence = f"“{number}” stands in {first} already."
                self._refuse(row, "number", sentence)
        return number

    def _words(self, row: ListedRow) -> tuple[str, str]:
        """Title and details; what a title has no room for stands in the details."""
        title, what = row.text("title"), row.text("what")
        if not title:
            self._refuse(row, "title", "It does not say what you want to see.")
        if "\0" in title + what:
            self._refuse(row, "title", "A cell holds a character that is no text.")
        if len(title) > MAX_TITLE:
            what = "\n\n".join(filter(None, [title, what]))
            title = Truncator(title).chars(MAX_TITLE)
        if len(what) > MAX_WHAT:
            self._refuse(
                row,
                "what" if row.text("what") else "title",
                f"At most {MAX_WHAT:,} characters, it has {len(what):,}.",
            )
        return " ".join(title.split()), what

    def _controls(self, row: ListedRow) -> tuple[ControlImplementation, ...]:
        controls: dict[int, ControlImplementation] = {}
        unknown = []
        for text in several(row.text("controls")):
            meant = self.named.meant_by(text)
            controls |= {one.pk: one for one in meant}
            if not meant:
                unknown.append(text)
        if unknown:
            names = ", ".join(
                f"“{text[:40]}”" for text in unknown[:NAMED_IN_A_SENTENCE]
            )
            more = len(unknown) - NAMED_IN_A_SENTENCE
            names += f" and {more} more" if more > 0 else ""
            self._refuse(
                row,
                "controls",
                f"No control of this system has this id or number: {names}.",
            )
        elif not controls:
            self._refuse(row, "controls", "It names no control.")
        elif len(controls) > MAX_CONTROLS:
            sentence = f"One request names at most {MAX_CONTROLS:,} controls."
            self._refuse(row, "controls", sentence)
        return tuple(controls.values())

    def _team(
        self, row: ListedRow, controls: Sequence[ControlImplementation]
    ) -> Team | None:
        """The team that is named; else the owner of the controls; else the default."""
        if text := row.text("team"):
            team = self.teams_by_name.get(" ".join(text.lower().split()))
            if team is None:
                self._refuse(
                    row, "team", f"No team “{text[:60]}” contributes to this system."
                )
            return team
        owners = {one.owner_team_id for one in controls}
        if len(owners) == 1 and (team := self.teams.get(owners.pop() or 0)):
            return team
        if self.defaults.team is None and controls:
            self._refuse(
                row,
                "team",
                "It names no team, and its controls have no one owner who contributes.",
            )
        return self.defaults.team

    def _due_on(self, row: ListedRow) -> dt.date | None:
        text = row.text("due_on")
        if not text:
            return self.defaults.due_on
        try:
            day = parse_day(text[:10] if LOCAL_TIME.fullmatch(text) else text)
        except ClockError as fault:
            sentence = no_day(text) if number_as_day(text) else fault.sentence
            self._refuse(row, "due_on", sentence)
            return None
        if day < self.today:
            self._refuse(row, "due_on", f"{day} has passed.")
        elif day > self.today + MAX_DUE_AHEAD:
            sentence = "Ask for a day within the next two years."
            self._refuse(row, "due_on", sentence)
        return day
