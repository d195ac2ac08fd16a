"""A file of findings seen before it counts, and imported once within the hour.

One file: the preview of a file and its confirmation are two steps of one act.
"""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from django.core.cache import cache

from controls.control_ids import normalised_id
from controls.errors import Refused, TransitionNotAllowed
from controls.grammar import count_of
from controls.idempotency import KeyedRequest, first_use
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    IdempotencyKey,
    System,
)
from controls.models.audit import about
from evidence.findings.import_plan import ImportPlan, PlannedReport, plan_import
from evidence.findings.source_files import (
    LineRefusal,
    SourceFile,
    SourceResult,
    read_findings,
)
from evidence.findings.who_may import require_recorder
from evidence.models import FailingObservation, FindingImport, SourceReport

KEPT_SECONDS = 60 * 60
MAX_NEW = 5_000  # observations that one file may make
MAX_ACCOUNTS = 50
MAX_LEFT_OUT = 200  # lines that are named with an import
AGAIN = "Send the file again."
ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class ImportPreview:
    """A file held against the system. `token` imports it once; it is empty where that
    would change nothing."""

    read: SourceFile
    accounts: tuple[str, ...]
    control: ControlImplementation | None
    plan: ImportPlan
    token: str = ""


def accounts_in(text: str) -> tuple[str, ...]:
    """The ids of AWS accounts in a text, each once. Raises Refused for what is none."""
    ids = tuple(dict.fromkeys(re.split(r"[\s,;]+", text.strip())))
    wrong = [one for one in ids if not ACCOUNT.fullmatch(one)]
    if wrong:
        sentence = f"“{wrong[0][:40]}” is no id of an AWS account: it has 12 digits."
        raise Refused({"accounts": sentence})
    if len(ids) > MAX_ACCOUNTS:
        raise Refused({"accounts": f"Name at most {MAX_ACCOUNTS} accounts at a time."})
    return ids


def control_named(system: System, text: str) -> ControlImplementation | None:
    """The control of the system by its id as people write it; None for no text.
    Raises Refused for one that the system does not have."""
    if not text.strip():
        return None
    rows = system.implementations.select_related("control")
    ref_id = normalised_id(text) or text.strip().lower()
    implementation = rows.filter(control__ref_id=ref_id).first()
    if implementation is None:
        raise Refused({"control": "That is no control of this system."})
    return implementation


def preview_import(
    system: System,
    body: BinaryIO,
    name: str,
    size_bytes: int,
    *,
    accounts: str,
    control: str = "",
    by: Actor,
) -> ImportPreview:
    """What a file would change in the system; nothing is written.

    Raises NotPermitted, Refused (of `file`, `accounts` or `control`).
    """
    require_recorder(system, by)
    ids = accounts_in(accounts)
    named = control_named(system, control)
    try:
        read = read_findings(body, name, size_bytes)
    except Refused as refusal:
        raise Refused({"file": refusal.messages}) from refusal
    plan = plan_import(system, read, accounts=ids, control=named, by=by)
    if len(plan.new) > MAX_NEW:
        raise Refused(
            {
                "file": f"It would record {len(plan.new):,} observations, and one file"
                f" may record {MAX_NEW:,}: export the findings by account or region."
            }
        )
    shown = ImportPreview(read, ids, named, plan)
    if not plan.changes:
        return shown
    token = _keep(system, shown, by)
    return ImportPreview(read, ids, named, plan, token)


def previewed(system: System, token: str, *, by: Actor) -> ImportPreview:
    """What was read before, held against the system of now. Raises NotPermitted, and
    TransitionNotAllowed where it is no longer there."""
    require_recorder(system, by)
    shown, _ = _kept(system, token, by)
    return shown


def was_imported(system: System, token: str, *, by: Actor) -> FindingImport | None:
    """What a preview became, if it was confirmed."""
    keyed = _keyed(system, token, by)
    used = IdempotencyKey.objects.filter(
        user=by.pk, key=keyed.key, route=keyed.route
    ).first()
    return FindingImport.objects.get(pk=json.loads(used.body)) if used else None


def confirm_import(
    system: System, token: str, *, leave_out: bool = False, by: Actor
) -> FindingImport:
    """Record what a preview showed, all of it or nothing; confirmed again, the same.

    Lines that were refused are left out only where the person says so. Raises
    NotPermitted, Refused, and TransitionNotAllowed where the preview is no longer
    there or shows what is not so any more.
    """
    require_recorder(system, by)
    with first_use(_keyed(system, token, by)) as key:
        if key.answered:
            return FindingImport.objects.get(pk=json.loads(key.body))
        locked = System.objects.select_for_update(of=("self",)).get(pk=system.pk)
        shown, digest = _kept(locked, token, by)
        plan = shown.plan
        if plan.digest != digest:
            raise TransitionNotAllowed(f"Something changed since the preview. {AGAIN}")
        if plan.refusals and not leave_out:
            lines = count_of(len(plan.refusals), "line", "is")
            raise Refused({"leave_out": f"{lines} not taken: say that they stay out."})
        made = _record(locked, shown, by)
        key.answer_with(201, body=json.dumps(made.pk))
    cache.delete(_place(system, token, by))
    return made


def _keyed(system: System, token: str, by: Actor) -> KeyedRequest:
    verb = f"import findings into system {system.pk}"
    return KeyedRequest.of_preview(by, verb, token)


def _record(system: System, shown: ImportPreview, by: Actor) -> FindingImport:
    plan = shown.plan
    rows = [*plan.new, *plan.again, *plan.passed]
    controls = ControlImplementation.objects.select_for_update(of=("self",))
    keys = {row.implementation.pk for row in rows}
    list(controls.filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))
    imported = FindingImport(
        system=system,
        imported_by=by,
        file_name=shown.read.name,
        sha256=shown.read.sha256,
        accounts=list(shown.accounts),
        left_out=[str(refusal) for refusal in plan.refusals[:MAX_LEFT_OUT]],
        made=len(plan.new),
        again=len(plan.again),
        passed=len(plan.passed),
        refused=len(plan.refusals),
        importer_name=str(by),
    )
    imported.save(force_insert=True)
    observations = FailingObservation.objects.bulk_create(
        [_observation(system, row, by) for row in plan.new], batch_size=MAX_NEW
    )
    of_rows = [*observations, *(row.observation for row in rows if row.observation)]
    SourceReport.objects.bulk_create(
        [
            _report(imported, row, observation)
            for row, observation in zip(rows, of_rows, strict=True)
        ],
        batch_size=MAX_NEW,
    )
    events = [
        about(
            observation,
            "observation.recorded",
            by=by,
            control=row.implementation.control.ref_id,
            part="",
            observed_on=row.observed_on,
            imported=str(imported.uuid),
        )
        for row, observation in zip(plan.new, observations, strict=True)
    ]
    counts = {name: getattr(imported, name) for name in ("made", "again", "passed")}
    summary = about(
        imported,
        "findings.imported",
        by=by,
        sha256=imported.sha256,
        accounts=imported.accounts,
        refused=imported.refused,
        **counts,
    )
    AuditEvent.objects.append_all([*events, summary])
    return imported


def _observation(system: System, row: PlannedReport, by: Actor) -> FailingObservation:
    return FailingObservation(
        system=system,
        implementation=row.implementation,
        recorded_by=by,
        source=row.source,
        text=row.text,
        observed_on=row.observed_on,
        recorder_name=str(by),
    )


def _report(
    imported: FindingImport, row: PlannedReport, observation: FailingObservation
) -> SourceReport:
    result = row.result
    return SourceReport(
        imported=imported,
        system=imported.system,
        observation=observation,
        finding_id=result.finding_id,
        account=result.account,
        result=result.result,
        words=result.words[:120],
        severity=result.severity,
        reported_at=row.reported_at,
        line=result.line,
    )


# --- what is kept between the two steps ---------------------------------------------


def _place(system: System, token: str, by: Actor) -> str:
    return f"finding-import:{system.pk}:{by.pk}:{token}"


def _keep(system: System, shown: ImportPreview, by: Actor) -> str:
    """Put a read file aside for the person who sent it. Raises Refused where nothing
    can be put aside at the moment."""
    token = str(uuid.uuid4())
    body = {
        "name": shown.read.name,
        "sha256": shown.read.sha256,
        "results": [asdict(result) for result in shown.read.results],
        "refusals": [asdict(refusal) for refusal in shown.read.refusals],
        "accounts": shown.accounts,
        "control": shown.control.pk if shown.control else None,
        "digest": shown.plan.digest,
    }
    place = _place(system, token, by)
    cache.set(place, zlib.compress(json.dumps(body).encode(), 6), KEPT_SECONDS)
    if cache.get(place) is None:
        sentence = "The preview cannot be kept at the moment: try again in a minute."
        raise Refused({"file": sentence})
    return token


def _kept(system: System, token: str, by: Actor) -> tuple[ImportPreview, str]:
    """What was put aside, held against the system of now, and what was shown then."""
    packed = cache.get(_place(system, token, by))
    if packed is None:
        raise TransitionNotAllowed(f"This preview is no longer there. {AGAIN}")
    body: dict[str, Any] = json.loads(zlib.decompress(packed))
    read = SourceFile(
        body["name"],
        body["sha256"],
        tuple(_result(fields) for fields in body["results"]),
        tuple(LineRefusal(**fields) for fields in body["refusals"]),
    )
    accounts: Sequence[str] = body["accounts"]
    control = None
    if body["control"] is not None:
        rows = system.implementations.select_related("control")
        control = rows.get(pk=body["control"])
    plan = plan_import(system, read, accounts=accounts, control=control, by=by)
    shown = ImportPreview(read, tuple(accounts), control, plan, token)
    return shown, body["digest"]


def _result(fields: dict[str, Any]) -> SourceResult:
    return SourceResult(**{**fields, "controls": tuple(fields["controls"])})
