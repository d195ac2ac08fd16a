"""Which of our services AWS means, by its ids, names and prefixes."""

from __future__ import annotations

import re
from collections import defaultdict

from controls.models import PublishedService, Service
from controls.models.services import Provider
from controls.oscal.components import ServiceFacts

# What a service says that came from AWS's files and that nobody has read.
SOURCE = "AWS component definitions, not classified"


class KnownServices:
    """What is there before an import. Two statements."""

    def __init__(self) -> None:
        self.published = {
            str(row.component): row
            for row in PublishedService.objects.select_related("service")
        }
        self.services = list(Service.objects.all())
        self.by_name: defaultdict[str, set[str]] = defaultdict(set)
        self.by_slug = {service.slug: service for service in self.services}
        for service in self.services:
            if service.provider == Provider.AWS and service.source != SOURCE:
                for name in names_of_service(service):
                    self.by_name[plain_name(name)].add(service.slug)

    def ours(self, facts: ServiceFacts) -> Service | None:
        """The service of ours that the facts are about: by the first of its id, its
        title, what it is sold as, and its prefixes that names exactly one."""
        for names in (
            [facts.aws_id],
            [facts.title],
            facts.names,
            facts.iam_prefixes,
            facts.prefixes,
        ):
            slugs = set().union(
                *(self.by_name.get(plain_name(n), set()) for n in names)
            )
            if len(slugs) == 1:
                return self.by_slug[slugs.pop()]
        return None


def names_of_service(service: Service) -> list[str]:
    """Slug, aliases and name; of “A and B” each of the two as well."""
    parts = re.split(r",| and ", service.name)
    return [service.slug, *service.aliases, service.name, *parts]


def plain_name(name: str) -> str:
    """A name without the maker's, brackets, spaces and capitals."""
    name = re.sub(r"\(.*?\)", "", name).strip()
    name = re.sub(r"^(amazon|aws)\s+", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "", name.lower())
