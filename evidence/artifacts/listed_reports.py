"""What AWS Artifact lists brought into the register: placed, registered, ended.

Registered in the name of the registrar who answers for it: somebody else reviews. A
report that comes this way has no service and no region in scope until a registrar says
them, so nothing rests on it (R23, R24).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from controls.provider_names import AWS
from evidence.artifacts.aws_artifact import ReportFacts
from evidence.artifacts.register import (
    end_version,
    register_artifact,
    register_version,
    require_registrar,
)
from evidence.models import Artifact, ArtifactVersion, ListedReport
from evidence.models.artifacts import ArtifactVersionState

Outcome = Literal["registered", "changed", "same", "not placed"]
FACTS = (
    "arn",
    "name",
    "series",
    "category",
    "period_start",
    "period_end",
    "is_published",
    "needs_acceptance",
)
MAX_LABEL = 120


@dataclass(frozen=True)
class SeriesRule:
    """Which of AWS's reports belong to a series, told by the report's name."""

    name: re.Pattern[str]
    title: str
    series: str
    kind: str
    scheme: str
    type1: bool = False


def _rule(name: str, title: str, series: str, kind: str, scheme: str) -> SeriesRule:
    return SeriesRule(re.compile(name, re.IGNORECASE), title, series, kind, scheme)


# Names that say kind and rules by themselves; all others are placed by a registrar.
# Privacy and confidentiality reports of SOC 2 are reports of their own, never the same;
# a letter that continues a report is none, and one of design alone is another kind.
NO_REPORT = r"^(?!.*(letter|bridge|privacy|type[ _]?(1|I)\b)).*"
RULES = (
    _rule(
        NO_REPORT + r"\bSOC[ _]?1\b",
        "AWS SOC 1 Type II",
        "aws-soc1",
        "period",
        "soc1",
    ),
    _rule(
        NO_REPORT + r"\bSOC[ _]?2\b",
        "AWS SOC 2 Type II",
        "aws-soc2",
        "period",
        "soc2",
    ),
    _rule(r"\bSOC[ _]?3\b", "AWS SOC 3", "aws-soc3", "summary", "soc3"),
    _rule(
        r"\bISO\b.*\b27001\b(?!.*(statement|applicability))",
        "AWS ISO 27001",
        "aws-iso27001",
        "certificate",
        "iso",
    ),
)


@transaction.atomic
def take_in(facts: ReportFacts, *, by: Actor) -> Outcome:
    """Store one version as AWS lists it, and bring it into the register if it can be.

    One that AWS offers no more is superseded, which takes nothing away (R25). Raises
    NotPermitted, and ValidationError where the register refuses what AWS says: then
    nothing of it is stored.
    """
    require_registrar(by)
    listed = (
        ListedReport.objects.select_for_update(of=("self",))
        .filter(aws_id=facts.aws_id, aws_version=facts.aws_version)
        .first()
    )
    is_new = listed is None
    if listed is None:
        listed = ListedReport(aws_id=facts.aws_id, aws_version=facts.aws_version)
    changed = [n for n in FACTS if getattr(listed, n) != getattr(facts, n)]
    for name in changed:
        setattr(listed, name, getattr(facts, name))
    listed.issued_on = facts.issued_on or listed.issued_on
    if is_new:
        listed.save(force_insert=True)
    elif changed:
        listed.version = F("version") + 1
        listed.save()
        listed.refresh_from_db()
    version = listed.artifact_version
    if version is None:
        return _place_by_itself(listed, by=by)
    return _follow(listed, version, changed, by=by) if changed else "same"


def _place_by_itself(listed: ListedReport, *, by: Actor) -> Outcome:
    if not listed.is_published:
        return _leave(listed, "AWS offers it no more.")
    if listed.period_start is None:
        return _leave(listed, "AWS says no period of it.")
    try:
        with transaction.atomic():
            artifact = _series_of(listed, by=by)
            if artifact is not None:
                _register(listed, artifact, by=by)
    except ValidationError as refusal:
        return _leave(listed, refusal_text(refusal))
    if artifact is None:
        sentence = "Its name does not say which series it belongs to: say it."
        return _leave(listed, sentence)
    return "registered"


def _leave(listed: ListedReport, sentence: str) -> Outcome:
    listed.artifact_version = None
    if listed.not_placed_because != sentence[:300]:
        listed.not_placed_because = sentence[:300]
        listed.save(update_fields=["not_placed_because"])
    return "not placed"


def _series_of(listed: ListedReport, *, by: Actor) -> Artifact | None:
    """The series of an earlier version, else the one its name says; made where there
    is none of that kind, None where nobody can tell."""
    before = ListedReport.objects.filter(
        aws_id=listed.aws_id, artifact_version__isnull=False
    ).select_related("artifact_version__artifact")
    if earlier := before.first():
        version = earlier.artifact_version
        return version.artifact if version else None
    rules = [rule for rule in RULES if rule.name.search(listed.name)]
    if len(rules) != 1:
        return None
    (rule,) = rules
    alike = list(
        Artifact.objects.filter(
            provider_slug=AWS, kind=rule.kind, scheme=rule.scheme, type1=rule.type1
        )[:2]
    )
    if alike:
        return alike[0] if len(alike) == 1 else None
    return register_artifact(
        title=rule.title,
        series=rule.series,
        kind=rule.kind,
        scheme=rule.scheme,
        by=by,
    )


def _register(listed: ListedReport, artifact: Artifact, *, by: Actor) -> None:
    if listed.period_start is None:
        raise Refused("AWS says no period of this report: register it by hand.")
    ending = f", version {listed.aws_version}"
    listed.artifact_version = register_version(
        artifact,
        label=listed.name[: MAX_LABEL - len(ending) - 30] + _days(listed) + ending,
        reference=f"{listed.aws_id}:{listed.aws_version}",
        starts=listed.period_start,
        ends=listed.period_end,
        issued_on=_issued_after(listed),
        services=[],
        by=by,
    )
    listed.not_placed_because = ""
    listed.save(update_fields=["artifact_version", "not_placed_because"])


def _issued_after(listed: ListedReport) -> dt.date | None:
    """AWS's day of issue; None where it lies before the end of what is reported on, as
    of an entry made ahead of its report."""
    issued, ends = listed.issued_on, listed.period_end
    return None if issued and ends and issued <= ends else issued


def _days(listed: ListedReport) -> str:
    """AWS gives all reports of a series one name: their days tell them apart."""
    days = [str(day) for day in (listed.period_start, listed.period_end) if day]
    return f" ({' to '.join(days)})"


def _follow(
    listed: ListedReport, version: ArtifactVersion, changed: list[str], *, by: Actor
) -> Outcome:
    """What AWS says otherwise now of a report of the register."""
    if "is_published" in changed and not listed.is_published:
        if version.state == ArtifactVersionState.ACTIVE:
            end_version(
                version,
                state=ArtifactVersionState.SUPERSEDED,
                on=knowledge_now().date(),
                reason="AWS Artifact offers it no more.",
                by=by,
            )
    elif {"period_start", "period_end"} & set(changed):
        raise Refused(
            f"AWS now says {_days(listed).strip(' ()')} of “{version}”. The register"
            " keeps the days that it has: register the report anew if they are wrong."
        )
    return "changed"


@transaction.atomic
def place(listed: ListedReport, artifact: Artifact, *, by: Actor) -> ArtifactVersion:
    """Register a listed report in a series of AWS that a registrar names.

    Raises NotPermitted, TransitionNotAllowed where it is placed already, and
    ValidationError for what the register refuses.
    """
    require_registrar(by)
    stored = ListedReport.objects.select_for_update(of=("self",)).get(pk=listed.pk)
    if stored.artifact_version_id is not None:
        raise TransitionNotAllowed("This report is in the register already.")
    if artifact.provider_slug != AWS:
        raise Refused(
            {"artifact": "AWS lists reports of AWS: choose one of its series."}
        )
    _register(stored, artifact, by=by)
    version = stored.artifact_version
    if version is None:  # for the reader of types: `_register` has set it
        raise Refused("This report could not be registered.")
    AuditEvent.objects.append(
        about(stored, "listed-report.placed", by=by, report=str(version.uuid))
    )
    return version


def refusal_text(refusal: ValidationError) -> str:
    """What the register refused, in one line."""
    return " ".join(refusal.messages)
