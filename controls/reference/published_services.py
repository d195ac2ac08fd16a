"""AWS's own content about its services: compared with what is known, and imported.

Services that we have are joined by AWS's ids, names and prefixes; others arrive without
a reading: nobody has said who runs what of them, and all of it counts as ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.text import slugify

from controls.access import require_installation_officer
from controls.models import (
    Actor,
    AuditEvent,
    PublishedService,
    Service,
    ServiceImport,
    ServiceVariant,
)
from controls.models.audit import about
from controls.models.services import Provider
from controls.oscal.components import PublishedServices, ServiceFacts, read_components
from controls.reference.service_names import SOURCE, KnownServices

WORDS = {
    "aws_id": "id",
    "title": "name",
    "names": "names it is sold by",
    "iam_prefixes": "IAM prefixes",
    "prefixes": "other prefixes",
    "availability": "availability",
    "stage": "stage of its life",
    "regions": "regions",
    "config_rules": "Config rules",
    "hub_controls": "Security Hub controls",
    "file": "file",
}
FIELDS = tuple(WORDS)
VARIANT = "standard"
UNREAD = "not classified"  # the category of a service that nobody has read


@dataclass(frozen=True)
class ServiceChange:
    """One service of which the files say something else than before: what, in names of
    fields of `PublishedService`."""

    facts: ServiceFacts
    before: PublishedService
    fields: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """What the fields are called."""
        return [WORDS[name] for name in self.fields]

    @property
    def renamed_from(self) -> str:
        """What AWS called it before; empty where its title is the same."""
        return self.before.title if "title" in self.fields else ""


@dataclass(frozen=True)
class ServiceDifference:
    """What an import would do, or did. `joined`: new to us by these files, but of a
    service that we have; `added`: services that come, not classified; `gone`: published
    before and in these files no more, which are kept as they are."""

    added: tuple[ServiceFacts, ...]
    joined: tuple[tuple[ServiceFacts, Service], ...]
    changed: tuple[ServiceChange, ...]
    gone: tuple[PublishedService, ...]
    same: int

    @property
    def is_nothing(self) -> bool:
        """Whether the files say what is known already."""
        return not (self.added or self.joined or self.changed)


@dataclass(frozen=True)
class ImportOutcome:
    """What was read, and what it changed; without `row` nothing was written."""

    read: PublishedServices
    difference: ServiceDifference
    row: ServiceImport | None


def compare_services(body: BinaryIO, *, by: Actor | None) -> ImportOutcome:
    """What an import of the files would do. Writes nothing; raises as `import_services`
    does."""
    if by is not None:
        require_installation_officer(by)
    read = read_components(body)
    return ImportOutcome(read, _difference(read, KnownServices()), None)


def import_services(body: BinaryIO, *, source: str, by: Actor | None) -> ImportOutcome:
    """Take in what AWS's files say of its services, all of it or nothing.

    The same files again change nothing and leave no trace. `by` is None for the command
    line. Raises NotPermitted for all but officers of the installation, Refused for
    files that cannot be read.
    """
    if by is not None:
        require_installation_officer(by)
    read = read_components(body)
    with transaction.atomic():
        # two imports at once: the second compares once the first is done
        Service.objects.select_for_update().order_by("pk").first()
        known = KnownServices()
        difference = _difference(read, known)
        if difference.is_nothing:
            return ImportOutcome(read, difference, None)
        _add(difference, known)
        _change(difference.changed)
        row = ServiceImport.objects.create(
            imported_by=by if by is not None and by.pk else None,
            source=source[:300],
            files=read.files,
            services=len(read.services),
            added=len(difference.added),
            changed=len(difference.changed),
        )
        AuditEvent.objects.append(
            about(
                row,
                "services.imported",
                by=by,
                source=row.source,
                added=[facts.aws_id for facts in difference.added],
                joined={f.aws_id: ours.slug for f, ours in difference.joined},
                changed={
                    change.facts.aws_id: list(change.fields)
                    for change in difference.changed
                },
                gone=[row.aws_id for row in difference.gone],
            )
        )
    return ImportOutcome(read, difference, row)


def _difference(read: PublishedServices, known: KnownServices) -> ServiceDifference:
    added, joined, changed, same = [], [], [], 0
    for facts in read.services:
        before = known.published.get(facts.uuid)
        if before is not None:
            fields = tuple(n for n in FIELDS if _value(facts, n) != getattr(before, n))
            if fields:
                changed.append(ServiceChange(facts, before, fields))
            else:
                same += 1
        elif (service := known.ours(facts)) is not None:
            joined.append((facts, service))
        else:
            added.append(facts)
    here = {facts.uuid for facts in read.services}
    gone = [row for uuid, row in known.published.items() if uuid not in here]
    return ServiceDifference(
        tuple(added), tuple(joined), tuple(changed), tuple(gone), same
    )


def _value(facts: ServiceFacts, name: str) -> Any:
    value = getattr(facts, name)
    return list(value) if isinstance(value, tuple) else value


def _add(difference: ServiceDifference, known: KnownServices) -> None:
    """What is new: services without a reading, each with its one variant."""
    taken = {w for s in known.services for w in [s.slug, *s.aliases]}
    called = {service.name for service in known.services}
    twice = _called_twice(difference.added)
    fresh = []
    for facts in difference.added:
        name = facts.title[:100]
        if name in called or name in twice:
            name = f"{facts.title[:60]} ({facts.aws_id[:50]})"
        slug = _free(slugify(facts.aws_id)[:50] or "service", taken)
        aliases = [word for word in _aliases(facts) if word not in taken]
        called.add(name)
        taken |= {slug, *aliases}
        fresh.append(
            Service(
                slug=slug,
                name=name,
                provider=Provider.AWS,
                category=UNREAD,
                is_global=facts.availability == ("GLOBAL",),
                aliases=aliases,
                source=SOURCE,
            )
        )
    Service.objects.bulk_create(fresh)
    ServiceVariant.objects.bulk_create(
        ServiceVariant(
            service=service, slug=VARIANT, name=service.name, is_default=True
        )
        for service in fresh
    )
    pairs = [*zip(difference.added, fresh, strict=True), *difference.joined]
    PublishedService.objects.bulk_create(
        PublishedService(service=service, component=facts.uuid, **_columns(facts))
        for facts, service in pairs
    )


def _called_twice(added: Iterable[ServiceFacts]) -> set[str]:
    """Titles that AWS gives to more than one of its services."""
    counts: defaultdict[str, int] = defaultdict(int)
    for facts in added:
        counts[facts.title[:100]] += 1
    return {title for title, count in counts.items() if count > 1}


def _free(slug: str, taken: set[str]) -> str:
    """The slug, with a number where it is another's name already."""
    number, free = 2, slug
    while free in taken:
        free, number = f"{slug}-{number}", number + 1
    return free


def _aliases(facts: ServiceFacts) -> list[str]:
    """What people type for it: its prefixes, as far as they are one word."""
    words = (word.lower() for word in facts.iam_prefixes)
    return [
        word for word in dict.fromkeys(words) if len(word) <= 60 and " " not in word
    ]


def _columns(facts: ServiceFacts) -> Mapping[str, Any]:
    return {name: _value(facts, name) for name in FIELDS}


def _change(changes: Iterable[ServiceChange]) -> None:
    """What AWS says otherwise now. A service that we have by AWS's name alone is called
    by its new one; of the others only what is published changes."""
    renamed, variants = [], []
    rows = []
    for change in changes:
        row = change.before
        service = row.service
        if change.renamed_from == service.name and service.source == SOURCE:
            service.name = change.facts.title[:100]
            renamed.append(service)
            variants.append(service.pk)
        for name, value in _columns(change.facts).items():
            setattr(row, name, value)
        rows.append(row)
    PublishedService.objects.bulk_update(rows, FIELDS, batch_size=200)
    Service.objects.bulk_update(renamed, ["name"])
    for variant in ServiceVariant.objects.filter(service__in=variants, slug=VARIANT):
        variant.name = variant.service.name
        variant.save(update_fields=["name"])
