"""Plain functions that make what a story needs, with sensible defaults."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import QuerySet

from controls.history.clock import knowledge_now
from controls.models import (
    Baseline,
    Control,
    ControlImplementation,
    Engagement,
    ImplementationStatement,
    InstallationRole,
    InstallationRoleName,
    Membership,
    RetrospectiveChange,
    Role,
    ServiceVariant,
    System,
    Team,
    User,
)
from controls.provider_names import provider_slug
from evidence.models import (
    Artifact,
    ArtifactCoverage,
    ArtifactVersion,
    Citation,
    EvidenceLink,
    RelianceReview,
    RequirementControl,
    RequirementTerms,
)
from evidence.models.asks import TERMS_COLUMNS
from evidence.models.confirmed_days import DayConfirmation
from evidence.status.cadence import default_grace
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from evidence.systems.describe import Use, create_system
from tests.one_day import BEGINS

PASSWORD = "correct horse battery"
START = dt.date(2026, 1, 1)
END = dt.date(2026, 12, 31)
SMALL = ("ac-1", "ac-2", "ac-2.1", "ac-4", "ac-11", "at-2", "cm-2", "ma-4", "pe-1")
SMALL += ("pe-3", "pe-13", "pe-17", "sc-15", "si-2")
SERVICES = ("ec2", "s3", "iam")
# What a reviewer says of something brought after its due day (R14).
DAY_SHOWN = DayConfirmation(confirmed=True, shown_by="Time stamps in the report")


@cache
def _hash_of_password() -> str:
    """As the product hashes it, which takes a fifth of a second: once for everybody."""
    return make_password(PASSWORD)


def make_user(local: str, *, name: str = "", **fields: Any) -> User:
    """A person with an account at example.com, whose password is PASSWORD."""
    return User.objects.create(
        email=f"{local}@example.com",
        name=name or local.capitalize(),
        password=_hash_of_password(),
        **fields,
    )


def make_team(name: str = "Platform") -> Team:
    """A team; the one of that name if it is there."""
    team, _ = Team.objects.get_or_create(name=name, defaults={"slug": name.lower()})
    return team


def give_role(
    user: User, system: System, role: str, *, team: Team | None = None, **fields: Any
) -> Membership:
    """A role of a person in a system, from the day before the tests' on.

    Who holds it without an end already holds it from the earlier day on: nobody holds
    a role twice at a time.
    """
    since = BEGINS - dt.timedelta(days=1)
    held = Membership.objects.filter(
        user=user, system=system, role=role, team=team, ends_at=None
    ).first()
    if held is not None and "ends_at" not in fields:
        held.starts_at = min(held.starts_at, fields.get("starts_at", since))
        held.save(update_fields=["starts_at"])
        return held
    return Membership.objects.create(
        user=user, system=system, role=role, team=team, **{"starts_at": since} | fields
    )


def give_installation_roles(
    user: User, *roles: str, **fields: Any
) -> list[InstallationRole]:
    """Roles of the installation, as `give_role`; both unless some are named.

    A person who has one already keeps it as it is.
    """
    since = BEGINS - dt.timedelta(days=1)
    held = {row.role: row for row in InstallationRole.objects.filter(user=user)}
    return [
        held.get(role)
        or InstallationRole.objects.create(
            user=user, role=role, **{"starts_at": since} | fields
        )
        for role in roles or InstallationRoleName.values
    ]


def move_windows(*, start: dt.date | None = None, end: dt.date | None = None) -> None:
    """Move the audit window of every system, as two officers agree on it."""
    for system in System.objects.all():
        move_window(system, start=start, end=end)


def move_window(
    system: System, *, start: dt.date | None = None, end: dt.date | None = None
) -> None:
    """Move the audit window of a stored system; where days fall out, as two officers
    agree on it."""
    days = {"window_start": start, "window_end": end}
    held = System.objects.filter(pk=system.pk)
    stored = held.values(*days).get()
    moved = {name: day or stored[name] for name, day in days.items()}
    if (
        moved["window_start"] > stored["window_start"]
        or moved["window_end"] < stored["window_end"]
    ):
        RetrospectiveChange.objects.create(
            system=system,
            requested_by=administrator(),
            decided_by=User.objects.exclude(pk=administrator().pk).order_by("pk")[0],
            kind="audit-window",
            body={name: str(day) for name, day in moved.items()},
            reason="Agreed with the firm.",
            first_day=stored["window_start"],
            requested_on=stored["window_start"] + dt.timedelta(days=1),
            state="approved",
            decided_at=knowledge_now(),
        )
    held.update(**moved)


def make_engagement(system: System, *, kind: str = "type2") -> Engagement:
    """An audit over the system's window."""
    return Engagement.objects.create(
        system=system,
        title=f"{system.name} audit",
        kind=kind,
        firm="Audit & Sons",
        window_start=system.window_start,
        window_end=system.window_end,
    )


def let_auditor_in(user: User, system: System) -> Membership:
    """An auditor for 30 days in a new engagement."""
    return give_role(
        user,
        system,
        Role.AUDITOR,
        engagement=make_engagement(system),
        ends_at=BEGINS + dt.timedelta(days=30),
    )


def make_baseline(ref_ids: Iterable[str] = SMALL, slug: str = "small") -> Baseline:
    """A short baseline of real controls of the loaded catalog."""
    found = Baseline.objects.filter(slug=slug).first()
    if found:
        return found
    controls = Control.objects.filter(
        ref_id__in=list(ref_ids), catalog__slug=catalog_slug()
    )
    baseline = Baseline.objects.create(
        catalog=controls[0].catalog, slug=slug, title=slug.capitalize()
    )
    baseline.controls.set(controls)
    return baseline


def catalog_slug() -> str:
    """The slug of the catalog that holds AC-2."""
    found = Control.objects.filter(ref_id="ac-2").select_related("catalog").first()
    assert found, "no reference data is loaded"
    return found.catalog.slug


def variant(name: str) -> ServiceVariant:
    """`lambda` or `lambda:runtime-auto` as a variant."""
    slug, _, wanted = name.partition(":")
    found = ServiceVariant.objects.filter(service__slug=slug)
    found = found.filter(slug=wanted) if wanted else found.filter(is_default=True)
    return found.select_related("service").get()


def administrator() -> User:
    """A superuser without a password, who describes the systems of the stories."""
    found = User.objects.filter(email="administrator@example.com").first()
    return found or User.objects.create_superuser("administrator@example.com")


def make_system(
    officer: User,
    *,
    slug: str = "payments",
    services: Sequence[str] = SERVICES,
    baseline: Baseline | None = None,
    team: Team | None = None,
    used_from: dt.date = START,
    asked_from: dt.date | None = None,
    stated: bool = True,
    **fields: Any,
) -> System:
    """A described system of which `officer` is the compliance officer.

    With `stated` its controls are implemented on all days, else nobody has said so.
    The officer also holds both roles of the installation.
    """
    give_installation_roles(officer)
    said = {
        "name": slug.capitalize(),
        "slug": slug,
        "regime": "soc2",
        "impact_level": "moderate",
        "time_zone": "UTC",
        "window_start": START,
        "window_end": END,
    } | fields
    system = System(baseline=baseline or make_baseline(), **said)
    uses = [Use(variant(name), used_from, regions=["us-east-1"]) for name in services]
    owners = {"": team or make_team()}
    create_system(
        system,
        uses,
        owners,
        by=administrator(),
        officer=officer,
        asked_from=asked_from or system.window_start,
    )
    if stated:
        state_implemented(system)
    return system


def state_implemented(system: System) -> None:
    """Every control of the system is implemented on all days, as the program says.

    The scenarios of the rules are told so unless they say otherwise.
    """
    controls = ControlImplementation.objects.filter(system=system)
    ImplementationStatement.objects.bulk_create(
        [
            ImplementationStatement(
                implementation=control, days=(None, None), status="implemented"
            )
            for control in controls
        ]
    )
    controls.update(implementation_status="implemented")


def implementation(system: System, ref_id: str) -> ControlImplementation:
    """A control of a system."""
    return system.implementations.select_related("system", "control").get(
        control__ref_id=ref_id
    )


def requirement(system: System, ref_id: str) -> RequirementControl:
    """The first requirement of a control of a system."""
    found = RequirementControl.objects.filter(
        system=system, implementation__control__ref_id=ref_id
    )
    return found.select_related("implementation__control", "system").order_by("pk")[0]


def set_terms(rows: QuerySet[RequirementControl], **columns: object) -> None:
    """Let these rows, and the terms of their asks, always have said this."""
    pks = list(rows.values_list("pk", flat=True))
    stated = {
        name: value
        for name, value in columns.items()
        if name in TERMS_COLUMNS or f"{name}_id" in TERMS_COLUMNS
    }
    RequirementControl.objects.filter(pk__in=pks).update(**columns)
    terms = RequirementTerms.objects.filter(ask__controls__in=pks)
    if stated:
        terms.update(**stated)


def ask_for(
    target: ControlImplementation, title: str, **columns: Any
) -> RequirementControl:
    """Something asked of a control, with the default grace unless told otherwise."""
    cadence = columns.setdefault("cadence", "monthly")
    columns.setdefault("grace_days", default_grace(cadence))
    row = RequirementControl(
        system=target.system, implementation=target, title=title, **columns
    )
    RequirementControl.objects.add_with_asks([row])
    return row


def make_evidence(
    asked: RequirementControl,
    *,
    by: User,
    performed_on: dt.date,
    title: str = "Report",
    content: bytes = b"what was done",
    today: dt.date | None = None,
) -> EvidenceLink:
    """Evidence submitted for a requirement, about the month it was performed in."""
    said = Submission(
        title=title,
        performed_on=performed_on,
        period_start=performed_on.replace(day=1),
        period_end=performed_on,
        collected_on=performed_on,
    )
    upload = store(f"{title}.txt", [content + title.encode()])
    return submit(said, [upload], requirement=asked, by=by, today=today or performed_on)


def make_artifact(
    by: User,
    controls: Iterable[str],
    *,
    title: str = "SOC 2 Type II",
    series: str = "soc2-type2",
    kind: str = "period",
    scheme: str = "soc2",
    provider: str = "AWS",
) -> Artifact:
    """A series of reports that speaks to these controls; every system that there is
    cites it for those of them in which it has any."""
    artifact = Artifact.objects.create(
        registered_by=by,
        title=title,
        series=series,
        kind=kind,
        scheme=scheme,
        provider=provider,
        provider_slug=provider_slug(provider),
    )
    cited = Control.objects.filter(
        ref_id__in=list(controls), catalog__slug=catalog_slug()
    )
    for control in cited:
        ArtifactCoverage.objects.create(artifact=artifact, control=control, cited_by=by)
    for system in System.objects.all():
        cite_for(system, artifact, cited, by=by)
    return artifact


def cite_for(
    system: System, artifact: Artifact, controls: Iterable[Control], *, by: User
) -> None:
    """Let a system cite a series for those of the controls that it has."""
    here = set(system.implementations.values_list("control_id", flat=True))
    for control in controls:
        if control.pk in here:
            Citation.objects.create(
                system=system, artifact=artifact, control=control, cited_by=by
            )


def make_report(
    artifact: Artifact,
    starts: dt.date,
    ends: dt.date,
    *,
    services: Sequence[str] = ("*",),
    regions: Sequence[str] = ("*",),
    label: str = "",
    sites: Sequence[str] = (),
    by: User | None = None,
) -> ArtifactVersion:
    """One report over starts..ends (inclusive), all services in scope."""
    return ArtifactVersion.objects.create(
        artifact=artifact,
        registered_by=by or artifact.registered_by,
        label=label or f"to {ends}",
        starts=starts,
        until=ends + dt.timedelta(days=1),
        issued_on=ends,
        service_slugs=[] if sites else list(services),
        regions=[] if sites else list(regions),
        sites=list(sites),
    )


def rely_on(report: ArtifactVersion, system: System, *, by: User) -> RelianceReview:
    """A reliance review that ends in `rely`."""
    return RelianceReview.objects.create(
        artifact_version=report,
        system=system,
        reviewer=by,
        registered_by=report.registered_by,
        conclusion="rely",
        reviewed_on=report.issued_on,
        reviewer_name=str(by),
    )
