"""From a list and files of one request to a plan, the same for pages and API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from controls.errors import Refused
from controls.models import Actor, System
from evidence.status.control_status import today_of
from evidence.submissions.bulk_list import MappingRow, read
from evidence.submissions.bulk_plan import Plan, plan
from evidence.submissions.uploads import Upload
from evidence.submissions.waiting_files import WaitingFile

MAX_FILES = 500  # in one go


def plan_of(system: System, listed: Any, files: Iterable[Any], *, by: Actor) -> Plan:
    """What a list and its files ask for, and per row what is wrong. Writes nothing.

    Raises Refused where the list or the files are missing or cannot be read.
    """
    if not isinstance(listed, WaitingFile):
        raise Refused({"list": "Choose the list that says what each file proves."})
    uploads = _uploads([file for file in files if file])
    return plan(system, _rows(listed), uploads, by=by, today=today_of(system))


def _rows(listed: WaitingFile) -> list[MappingRow]:
    with listed.incoming.reread() as body:
        return read(body, listed.name or "")


def _uploads(files: list[Any]) -> dict[str, Upload]:
    """Checked files by name. Raises Refused, naming the file."""
    if not files:
        raise Refused({"files": "Choose the files that the list speaks of."})
    if len(files) > MAX_FILES:
        raise Refused({"files": f"Send at most {MAX_FILES} files at a time."})
    by_name: dict[str, Upload] = {}
    for file in files:
        upload = file.as_upload()
        if upload.stored.size_bytes == 0:
            raise Refused({"files": f"“{upload.name}” is empty: nothing was stored."})
        if upload.name in by_name:
            raise Refused({"files": f"Two files are called “{upload.name}”."})
        by_name[upload.name] = upload
    return by_name
