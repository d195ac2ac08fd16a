"""Complementary user entity controls of a report by a CSV or XLSX list (R26).

A line is a number and a summary in the user's words, mapped to our controls. What is
registered of a report stays as it is: a line that says otherwise is a fault.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import BinaryIO

from controls.control_ids import label_of
from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
from controls.models import Actor
from controls.sealed_previews import seal, unseal
from controls.spreadsheets import Place
from evidence.artifacts.coverage_targets import CoverageTargets
from evidence.artifacts.register import refuse_withdrawn, require_registrar
from evidence.artifacts.remarks import register_remark
from evidence.artifacts.sheets import SheetForm, SheetList, SheetRowError, read_list
from evidence.models import ArtifactVersion, RemarkKind, ReportRemark
from evidence.models.remarks import MAX_REMARK

SALT = "user controls of a report"
AGAIN = "Send the list again."
MAX_LINES = 500  # of one list
MAX_TITLE = 120
BETWEEN = re.compile(r"[;,\n]+")
COLUMNS = ("Number", "Summary in our words", "Our controls")
FORM = SheetForm(
    (
        ("number", ("number", "reference", "cuec", "id")),
        ("text", ("summary", "what", "description", "text")),
        ("controls", ("our controls", "controls", "control", "nist")),
    ),
    {"number": MAX_TITLE, "text": MAX_REMARK},
    MAX_LINES,
)


@dataclass(frozen=True)
class UserControlRow:
    """One control that a report expects of us, mapped to ours by their ids."""

    number: str
    text: str
    control_ids: tuple[str, ...]


@dataclass(frozen=True)
class UserControlPreview:
    """What a list would register; with errors, nothing. `known` are there already."""

    coming: tuple[UserControlRow, ...]
    known: tuple[UserControlRow, ...]
    errors: tuple[SheetRowError, ...]


def require_open_report(version: ArtifactVersion, *, by: Actor) -> None:
    """Raise NotPermitted unless `by` keeps the register, TransitionNotAllowed for a
    report that its auditor withdrew. One that is only no longer offered still counts,
    and so does what it expects of us (R25)."""
    require_registrar(by)
    refuse_withdrawn(version, "nothing is added to it")


def read_user_controls(file: BinaryIO, name: str) -> SheetList:
    """Lines out of a CSV or XLSX file. Raises Refused as `read_list`."""
    return read_list(file, name, FORM)


def preview_user_controls(
    version: ArtifactVersion, read: SheetList, *, by: Actor
) -> UserControlPreview:
    """What a list would register. Writes nothing. Raises as `require_open_report`."""
    require_open_report(version, by=by)
    registered = {remark.title: remark for remark in _registered(version)}
    targets = CoverageTargets(
        text for row in read.rows for text in _several(row.cells.get("controls", ""))
    )
    errors = list(read.errors)
    coming: list[UserControlRow] = []
    known: list[UserControlRow] = []
    first: dict[str, Place] = {}
    for row in read.rows:
        number, text = row.cells["number"], row.cells.get("text", "")
        place = row.place("number")
        faults = []
        if not number:
            faults.append((place, "It has no number to find it again."))
        elif number in first:
            faults.append((place, f"“{number}” stands in {first[number]} already."))
        first.setdefault(number, place)
        control_ids, wrong = _mapped(targets, row.cells.get("controls", ""))
        faults += [(row.place("controls"), sentence) for sentence in wrong]
        line = UserControlRow(number, text, control_ids)
        remark = registered.get(number)
        if remark and not faults and _says(remark) != (text, set(control_ids)):
            touched = ", ".join(map(label_of, remark.control_ids))
            sentence = (
                f"“{number}” is registered of this report, for {touched}: it stays as"
                " it is."
            )
            faults.append((place, sentence))
        errors += [SheetRowError(*fault) for fault in faults]
        if not faults:
            (known if remark else coming).append(line)
    errors.sort(key=lambda error: error.place.line)
    return UserControlPreview(tuple(coming), tuple(known), tuple(errors))


def _registered(version: ArtifactVersion) -> list[ReportRemark]:
    remarks = ReportRemark.objects.filter(artifact_version=version)
    return list(remarks.filter(kind=RemarkKind.USER_CONTROL).order_by("pk"))


def _says(remark: ReportRemark) -> tuple[str, set[str]]:
    return remark.text, set(remark.control_ids)


def _several(cell: str) -> list[str]:
    return [part.strip() for part in BETWEEN.split(cell) if part.strip()]


def _mapped(targets: CoverageTargets, cell: str) -> tuple[tuple[str, ...], list[str]]:
    """Ids of our controls that a cell names, and what is wrong with it."""
    named = _several(cell)
    if not named:
        return (), ["Name the controls of ours that it is for."]
    control_ids, wrong = [], []
    for text in named:
        try:
            target = targets.target(text)
        except Refused as refusal:
            wrong += refusal.messages
            continue
        if target.part:
            wrong.append(f"{target.label} is a part: name the whole control.")
        else:
            control_ids.append(target.control.ref_id)
    return tuple(dict.fromkeys(control_ids)), wrong


def sealed_user_controls(
    version: ArtifactVersion, preview: UserControlPreview, *, by: Actor
) -> str:
    """What was shown, as a text that who asked may confirm once within an hour.

    Raises Refused where a line is wrong or none is new.
    """
    if preview.errors:
        raise Refused("Mend the lines that are not understood, and send it again.")
    if not preview.coming:
        raise Refused("Every line of the list is registered already.")
    rows = [list(asdict(row).values()) for row in preview.coming]
    return seal(SALT, version.pk, {"rows": rows}, by=by)


def import_user_controls(version: ArtifactVersion, token: str, *, by: Actor) -> int:
    """Register what the preview of the token showed, all or nothing; how many.

    Confirmed again it is the same answer. Raises NotPermitted, TransitionNotAllowed
    when the token is too old, another person's, or one was registered since.
    """
    require_open_report(version, by=by)
    verb = f"import user controls of report {version.pk}"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return int(json.loads(key.body))
        body = unseal(SALT, token, version.pk, by=by, again=AGAIN)
        reports = ArtifactVersion.objects.select_for_update(of=("self",))
        stored = reports.select_related("artifact").get(pk=version.pk)
        require_open_report(stored, by=by)
        rows = [UserControlRow(*row) for row in body["rows"]]
        there = {remark.title for remark in _registered(stored)}
        if there & {row.number for row in rows}:
            raise TransitionNotAllowed(f"The report changed since. {AGAIN}")
        for row in rows:
            register_remark(
                stored,
                kind=RemarkKind.USER_CONTROL,
                title=row.number,
                text=row.text,
                control_ids=row.control_ids,
                by=by,
            )
        key.answer_with(200, body=json.dumps(len(rows)))
    return len(rows)


def user_control_rows(version: ArtifactVersion) -> list[tuple[str, ...]]:
    """The headings and what is registered, as a file to fill in; of none an example."""
    rows = [
        (remark.title, remark.text, ", ".join(map(label_of, remark.control_ids)))
        for remark in _registered(version)
    ]
    example = ("1", "We remove accounts of leavers", "AC-2, PS-4")
    return [COLUMNS, *(rows or [example])]
