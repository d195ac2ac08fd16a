"""Providers' reports in our own words: registered, continued by letters, ended.

One file: what a report may say of its days, and what ends them, is read together.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import may_keep_register
from controls.errors import NotPermitted, Refused, StaleVersion, TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, Service
from controls.models.audit import about
from controls.models.services import Provider
from controls.provider_names import AWS, provider_slug
from evidence.models import Artifact, ArtifactVersion, ContinuityLetter
from evidence.models.artifacts import ArtifactVersionState, AssuranceKind, Scheme
from evidence.models.reviews import ReviewDecision

ONE_DAY = dt.timedelta(days=1)


REGION = re.compile(r"^(\*|[a-z]{2}(-[a-z]+)+-\d)$")
SITE = re.compile(r"^(\*|\w[\w .,/&()+-]{0,59})$")
HAVE_AN_END: frozenset[str] = frozenset(
    [AssuranceKind.PERIOD, AssuranceKind.CERTIFICATE]
)
MAX_SPOKEN_OF = dt.timedelta(days=5 * 366)  # by a report, or by a certificate
MAX_END_AHEAD = dt.timedelta(days=366)  # that is announced
ONE_DATE: Mapping[str, str] = {
    AssuranceKind.ASSESSMENT: (
        "An assessment has one date; it counts for twelve months."
    ),
    AssuranceKind.POINT: (
        "A report of one date has one day: leave the last day empty."
    ),
}
ENDS = frozenset(ArtifactVersionState) - {ArtifactVersionState.ACTIVE}
# What may still become of a report: one no longer offered may be revoked, one that is
# revoked on an earlier day, and its auditor may withdraw whatever there is (R20).
FURTHER_ENDS: Mapping[str, frozenset[str]] = {
    ArtifactVersionState.ACTIVE: ENDS,
    ArtifactVersionState.SUPERSEDED: ENDS - {ArtifactVersionState.SUPERSEDED},
    ArtifactVersionState.REVOKED: frozenset(
        [ArtifactVersionState.REVOKED, ArtifactVersionState.WITHDRAWN]
    ),
    ArtifactVersionState.WITHDRAWN: frozenset(),
}


def require_registrar(by: Actor) -> None:
    """Raise NotPermitted unless `by` keeps the register."""
    if not may_keep_register(by):
        raise NotPermitted("Only a registrar of reports may change the register.")


def refuse_withdrawn(version: ArtifactVersion, consequence: str) -> None:
    """Raise TransitionNotAllowed for a report that its auditor withdrew: nothing that
    it says counts any more (R20)."""
    if version.state == ArtifactVersionState.WITHDRAWN:
        sentence = f"Its auditor withdrew this report: {consequence}."
        raise TransitionNotAllowed(sentence)


@transaction.atomic
def register_artifact(*, by: Actor, **fields: Any) -> Artifact:
    """Save a new series of reports. Raises ValidationError and NotPermitted."""
    require_registrar(by)
    artifact = Artifact(registered_by=by, **fields)
    artifact.provider = artifact.provider.strip()
    artifact.provider_slug = provider_slug(artifact.provider)
    _refuse_wrong_scheme(artifact)
    artifact.full_clean()
    artifact.save(force_insert=True)
    AuditEvent.objects.append(about(artifact, "artifact.registered", by=by))
    return artifact


def _refuse_wrong_scheme(artifact: Artifact) -> None:
    """Only an assessment of our own follows our own rules."""
    own = artifact.kind == AssuranceKind.ASSESSMENT
    if own != (artifact.scheme == Scheme.OWN):
        raise Refused(
            {
                "scheme": "An assessment has the scheme “Our own assessment”, and"
                " nothing else has it."
            }
        )


@transaction.atomic
def register_version(
    artifact: Artifact,
    *,
    starts: dt.date,
    ends: dt.date | None,
    services: Sequence[str],
    regions: Sequence[str] = (),
    sites: Sequence[str] = (),
    by: Actor,
    **fields: Any,
) -> ArtifactVersion:
    """Save one report of a series; `services` are slugs, `ends` its last day.

    Of another provider than AWS, `sites` are its sites or services by name instead of
    services and regions. "*" stands for all of them. An assessment and a report of one
    date have `starts` alone. Until somebody else has reviewed it, nothing rests on it.
    Raises NotPermitted, ValidationError by field.
    """
    require_registrar(by)
    Artifact.objects.select_for_update(of=("self",)).get(pk=artifact.pk)
    version = ArtifactVersion(
        artifact=artifact,
        registered_by=by,
        starts=starts,
        until=_until(artifact, starts, ends),
        service_slugs=all_or_names(services),
        regions=region_names(regions),
        sites=site_names(sites),
        **fields,
    )
    _refuse_scope_of_others(artifact, version)
    known = _known_services(version.service_slugs)
    _refuse_impossible_days(artifact, starts, ends, fields.get("issued_on"))
    if artifact.versions.filter(label=version.label).exists():
        taken = f"A report of this series is called “{version.label}” already."
        raise Refused({"label": f"{taken} Give it another label."})
    version.full_clean()
    version.save(force_insert=True)
    version.services.set(known)
    AuditEvent.objects.append(
        about(
            version,
            "artifact-version.registered",
            by=by,
            starts=str(starts),
            ends=str(ends or ""),
            services=version.service_slugs,
            regions=version.regions,
            sites=version.sites,
        )
    )
    return version


def _until(artifact: Artifact, starts: dt.date, ends: dt.date | None) -> dt.date | None:
    """The day after the last; none of what counts for months from its one date."""
    if artifact.kind == AssuranceKind.ASSESSMENT:
        return None
    if artifact.kind == AssuranceKind.POINT:
        return None if artifact.scheme == Scheme.PCI else starts + ONE_DAY
    return ends + ONE_DAY if ends else None


def _refuse_scope_of_others(artifact: Artifact, version: ArtifactVersion) -> None:
    """AWS is scoped by services and regions, any other provider by its sites (R23)."""
    if artifact.provider_slug == AWS:
        if version.sites:
            sentence = "AWS's reports name services and regions, no sites."
            raise Refused({"sites": sentence})
        return
    faults = {
        name: f"{artifact.provider} is scoped by sites or services by name: say sites."
        for name, values in (
            ("services", version.service_slugs),
            ("regions", version.regions),
        )
        if values
    }
    if faults:
        raise Refused(faults)


def _refuse_impossible_days(
    artifact: Artifact, starts: dt.date, ends: dt.date | None, issued_on: dt.date | None
) -> None:
    """What kind of report speaks of which days: no auditor saw days to come, and only
    an authorization stands without a set end (R20).

    A report of one date, and an assessment, were made on one day.
    """
    today = _today()
    if issued_on and issued_on > today:
        raise Refused({"issued_on": f"It is not issued before {issued_on}."})
    one_day = ONE_DATE.get(artifact.kind)
    if one_day:
        if ends and ends != starts:
            raise Refused({"ends": one_day})
        if starts > today:
            sentence = f"It cannot speak of days to come: {starts}."
            raise Refused({"starts": sentence})
    if artifact.kind in HAVE_AN_END and ends is None:
        raise Refused({"ends": "Say its last day: only an authorization has none."})
    if artifact.kind in HAVE_AN_END and ends and ends - starts > MAX_SPOKEN_OF:
        sentence = f"It cannot speak of so many years: {starts} to {ends}."
        raise Refused({"ends": sentence})
    if artifact.kind == AssuranceKind.PERIOD and ends and ends > today:
        raise Refused(
            {"ends": f"A report cannot speak of days to come: it ends on {ends}."}
        )
    if artifact.kind == AssuranceKind.PERIOD and issued_on and ends:
        _refuse_issued_early(issued_on, ends)


def _refuse_issued_early(issued_on: dt.date, ends: dt.date) -> None:
    """No auditor reports on a period that is not over (R20)."""
    if issued_on <= ends:
        sentence = f"It speaks of the days to {ends}: it was issued after them."
        raise Refused({"issued_on": sentence})


def _today() -> dt.date:
    """Today in UTC: reports belong to the installation, not to one system."""
    return knowledge_now().astimezone(dt.UTC).date()


def all_or_names(names: Iterable[str]) -> list[str]:
    """The names, each once, in order; "*" among them is all, and stands alone."""
    unique = set(names)
    return ["*"] if "*" in unique else sorted(unique)


def region_names(texts: Sequence[str]) -> list[str]:
    """The names, each once. Raises Refused for what is not one; "*" is all."""
    names = all_or_names(texts)
    wrong = [name for name in names if not REGION.match(name)]
    if wrong:
        raise Refused(
            {"regions": f"This is not the name of a region: {', '.join(wrong[:5])}."}
        )
    return names


def site_names(texts: Sequence[str]) -> list[str]:
    """The names of sites, each once. Raises Refused for what is none; "*" is all."""
    names = all_or_names({" ".join(text.split()) for text in texts} - {""})
    wrong = [name for name in names if not SITE.match(name)]
    if wrong:
        raise Refused(
            {"sites": f"This is not the name of a site: {', '.join(wrong[:5])}."}
        )
    return names


def _known_services(slugs: Sequence[str]) -> list[Service]:
    """AWS's services by slug. Raises Refused for a name nobody knows; "*" is all."""
    named = set(slugs) - {"*"}
    services = list(Service.objects.filter(slug__in=named, provider=Provider.AWS))
    unknown = named - {service.slug for service in services}
    if unknown:
        sentence = f"Not a service of AWS: {', '.join(sorted(unknown)[:5])}."
        raise Refused({"services": sentence})
    return services


@transaction.atomic
def end_version(
    version: ArtifactVersion,
    *,
    state: str,
    on: dt.date,
    by: Actor,
    reason: str = "",
    seen_version: int | None = None,
) -> None:
    """Record which of three ends a report met, and on which day (R20).

    Superseded takes nothing away; revoked opens the days from `on`; withdrawn by its
    auditor takes all its days, as known from now on, and needs a reason; what it
    expects of us stays until a second person of each system does not rely on it (R26,
    R32). A superseded one may be revoked or withdrawn later, a revoked one withdrawn,
    or revoked from an earlier day. Raises TransitionNotAllowed when that or a harder
    end was recorded before, Refused for a day more than a year ahead.
    """
    require_registrar(by)
    stored = ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    again = state == stored.state and stored.ended_on and on >= stored.ended_on
    if state in ENDS and (state not in FURTHER_ENDS[stored.state] or again):
        raise TransitionNotAllowed(
            f"This report is already {stored.get_state_display().lower()}."
        )
    if seen_version is not None and seen_version != stored.version:
        raise StaleVersion("This report changed since you opened it. Look again.")
    if state not in ENDS:
        raise Refused({"state": "Say whether it is superseded, revoked or withdrawn."})
    if on > _today() + MAX_END_AHEAD:
        raise Refused(f"An end is known a year ahead at most: {on} is later.")
    if state == ArtifactVersionState.WITHDRAWN and not reason.strip():
        sentence = (
            "Withdrawn by its auditor takes every day it covered: say how you know. A"
            " report that is only no longer offered is superseded."
        )
        raise Refused({"reason": sentence})
    stored.state, stored.ended_on, stored.ended_by_id = state, on, by.pk
    stored.validate_constraints()
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "ended_on", "ended_by", "version"])
    AuditEvent.objects.append(
        about(
            version,
            f"artifact-version.{state}",
            by=by,
            on=str(on),
            reason=reason.strip(),
        )
    )
    version.refresh_from_db()


@transaction.atomic
def add_letter(
    version: ArtifactVersion, *, issued_on: dt.date, ends: dt.date, by: Actor
) -> ContinuityLetter:
    """Save a letter that continues a report from the day after it, until `ends`.

    Systems that have reviewed the report count none of its days until a second person
    has accepted it there (R24). Raises TransitionNotAllowed where the report was
    withdrawn, or was revoked before the letter's first day: it would cover no day.
    """
    require_registrar(by)
    report = ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    refuse_withdrawn(report, "a letter continues nothing of it")
    if version.artifact.kind != AssuranceKind.PERIOD:
        raise Refused("A letter continues a report over a period, and nothing else.")
    if report.until is None:
        raise Refused("A letter continues a report that has an end; this one has none.")
    revoked = report.state == ArtifactVersionState.REVOKED
    if revoked and report.ended_on and report.ended_on <= report.until:
        raise TransitionNotAllowed(
            f"This report was revoked from {report.ended_on}: days from then on are"
            " open, and a letter does not cover them."
        )
    if issued_on > _today():
        raise Refused({"issued_on": f"The letter is not issued before {issued_on}."})
    if issued_on < report.until:
        before = (
            f"A letter issued on {issued_on} continues nothing: its report speaks of"
            f" the days to {report.last_day} itself."
        )
        raise Refused({"issued_on": before})
    if ends < report.until:
        before = f"The letter continues the report from {report.until}: it ends later."
        raise Refused({"ends": before})
    _refuse_same_letter(report, issued_on, ends)
    letter = ContinuityLetter(
        artifact_version=report,
        registered_by=by,
        issued_on=issued_on,
        starts=report.until,
        until=ends + ONE_DAY,
    )
    letter.full_clean()
    letter.save(force_insert=True)
    AuditEvent.objects.append(
        about(letter, "letter.added", by=by, report=str(report.uuid), ends=str(ends))
    )
    return letter


def _refuse_same_letter(
    report: ArtifactVersion, issued_on: dt.date, ends: dt.date
) -> None:
    """Raise TransitionNotAllowed for a letter that is there, unless somebody rejected
    it: it may come again in order."""
    same = report.letters.filter(issued_on=issued_on, until=ends + ONE_DAY)
    if same.exclude(acceptances__decision=ReviewDecision.REJECT).exists():
        raise TransitionNotAllowed(
            f"The letter of {issued_on} to {ends} is registered for this report"
            " already."
        )
