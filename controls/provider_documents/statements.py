"""What a provider's document says of controls, whatever kind of file it came as."""

from __future__ import annotations

from dataclasses import dataclass

from controls.spreadsheets import Place


@dataclass(frozen=True)
class StatementRow:
    """What one line says of one control, or of one of its parts such as “(a)”."""

    place: Place
    control_id: str
    responsibility: str
    text: str
    part: str = ""


@dataclass(frozen=True)
class StatementRowError:
    """What is wrong with one line, and where; of which control, if it names one."""

    place: Place
    message: str
    control_id: str = ""

    def __str__(self) -> str:
        place = str(self.place)
        return f"{place[0].upper()}{place[1:]}: {self.message}"


@dataclass(frozen=True)
class Statements:
    """A file as read: its name and sha256, its rows, what could not be read.

    `left_out` are sentences about sheets and columns that were not read, and about
    parts of controls that the file leaves empty.
    """

    name: str
    sha256: str
    rows: tuple[StatementRow, ...]
    errors: tuple[StatementRowError, ...]
    left_out: tuple[str, ...] = ()
