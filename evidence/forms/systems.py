"""Describing a system on one page: what it is, what it uses, who owns which family.

One file: the fields, what they offer and what they make are read together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms
from django.db import transaction
from django.utils.functional import cached_property
from django.utils.text import slugify

from controls.base_form import ModelForm
from controls.errors import Refused
from controls.models import (
    Actor,
    AuditEvent,
    Baseline,
    Control,
    Service,
    ServiceLayer,
    ServiceVariant,
    System,
    Team,
)
from controls.models.audit import about
from controls.models.catalog import Origin
from controls.models.services import Provider
from controls.reference.published_services import UNREAD
from controls.responsibility.new_system import ClassTally, tally_of
from controls.service_meanings import LayerSaid, meaning_of
from evidence.forms.clocks import DayField
from evidence.forms.fields import RegionsField, day_input
from evidence.systems.baselines import proposed_baseline
from evidence.systems.describe import RESERVED_SLUGS, Use, create_system

USED_BY_MOST = ("Compute", "Database", "Storage")
MAX_NAMES = 16  # of services beside the title of a group that is closed
NONE_PROPOSED = "Choose a baseline: SRM has none for this regime and level."
PROPOSED = "The one for its regime and level"
SELDOM_CHANGED = ("description", "partition", "time_zone")


def free_slug(name: str) -> str:
    """A slug for a new system that no other system has."""
    stem = slugify(name)[:50] or "system"
    taken = set(
        System.objects.filter(slug__startswith=stem).values_list("slug", flat=True)
    )
    taken |= RESERVED_SLUGS
    numbered = (f"{stem}-{n}" for n in range(2, 10_000))
    return stem if stem not in taken else next(s for s in numbered if s not in taken)


@dataclass(frozen=True)
class Choice:
    """A service as the form offers it: its tick box, what it means, its variants."""

    service: Service
    tick: forms.BoundField
    variant: forms.BoundField | None
    meaning: str = ""


@dataclass(frozen=True)
class Category:
    """Services of one kind under one heading."""

    title: str
    choices: list[Choice]

    is_searched: bool = False

    @property
    def ticked(self) -> int:
        """How many of them are chosen."""
        return sum(bool(choice.tick.value()) for choice in self.choices)

    @property
    def is_open(self) -> bool:
        """Whether its services are shown at once: most systems use some of them, one is
        chosen, or the search names them."""
        return self.title in USED_BY_MOST or self.is_searched or self.ticked > 0

    @property
    def names(self) -> str:
        """Its services by name; of very many the first, in the order of the list."""
        names = [choice.service.name for choice in self.choices]
        more = len(names) - MAX_NAMES
        if more <= 0:
            return ", ".join(names)
        return f"{', '.join(names[:MAX_NAMES])} and {more} more: search for one by name"


class NewSystemForm(ModelForm):
    """One page that describes a whole system. `save` creates all of it."""

    asked_from = DayField(
        label="Proof is asked for from",
        required=False,
        widget=day_input(),
        help_text="If empty, from today in its time zone. Days of the audit window"
        " before it are unasked: no misses, but no window that has them is complete.",
    )
    used_from = DayField(
        label="In use since",
        widget=day_input(),
        help_text="For every service ticked below; change single ones afterwards.",
    )
    regions = RegionsField(
        label="Regions",
        required=False,
        help_text="Region codes such as us-east-1, eu-west-1; not for global services.",
    )
    owner = forms.ModelChoiceField(
        Team.objects.all(),
        label="Owner team",
        required=False,
        help_text="Owns every family for which no other team is named.",
    )
    new_team = forms.CharField(
        label="Or a new team",
        required=False,
        max_length=120,
        help_text="Only if your team is not in the list.",
    )

    q = forms.CharField(label="Search the services", required=False, max_length=60)
    joined = forms.BooleanField(
        label="Ask once for what one performance proves",
        required=False,
        help_text="As the shipped list joins controls, each with what in it"
        " proves it; otherwise each is asked by itself, and may be joined later.",
    )

    class Meta:
        model = System
        fields = (
            "name",
            "description",
            "regime",
            "impact_level",
            "partition",
            "baseline",
            "time_zone",
            "window_start",
            "window_end",
            "own_code",
        )
        field_classes = {"window_start": DayField, "window_end": DayField}
        labels = {
            "impact_level": "Impact level",
            "partition": "AWS partition",
            "time_zone": "Time zone",
            "window_start": "Audit window starts",
            "window_end": "Audit window ends (last day)",
            "own_code": "It runs application code of your own",
        }
        help_texts = {
            "baseline": "Any other may be chosen.",
            "time_zone": "Says when a day ends; such as Europe/Paris.",
            "own_code": "",
        }
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "window_start": day_input(),
            "window_end": day_input(),
        }

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        baseline: Any = self.fields["baseline"]
        baseline.required, baseline.empty_label = False, PROPOSED
        self.fields["used_from"].initial = today.replace(month=1, day=1)
        self.fields["window_start"].initial = today.replace(month=1, day=1)
        self.fields["window_end"].initial = today.replace(month=12, day=31)
        self.services = list(Service.objects.prefetch_related("variants__layers"))
        for service in self.services:
            self._offer(service)
        self.families = _families()
        teams = list(Team.objects.all())
        for family in self.families:
            self.fields[f"owner_{family}"] = forms.ChoiceField(
                label=f"{family.upper()} {self.families[family]}",
                required=False,
                choices=[("", "the owner team"), *((t.slug, t.name) for t in teams)],
            )

    def _offer(self, service: Service) -> None:
        variants = list(service.variants.all())
        self.fields[f"use_{service.slug}"] = forms.BooleanField(
            label=service.name, required=False
        )
        if len(variants) > 1:
            self.fields[f"variant_{service.slug}"] = forms.ChoiceField(
                label=f"How you use {service.name}",
                required=False,
                choices=[(variant.slug, variant.name) for variant in variants],
            )

    def categories(self) -> Iterator[Category]:
        """AWS services by category, those that nobody has read after all others, then
        components that are not AWS.

        Where something is searched, those it names; ticked ones always.
        """
        shown = [service for service in self.services if self._is_shown(service)]
        aws = sorted(
            (s for s in shown if s.provider == Provider.AWS),
            key=lambda s: (s.category == UNREAD, s.category or "Other", s.name),
        )
        for title, services in groupby(aws, key=lambda s: s.category or "Other"):
            yield self._category(title[:1].upper() + title[1:], services)
        others = [s for s in shown if s.provider != Provider.AWS]
        if others:
            yield self._category("Not AWS", others)

    def _is_shown(self, service: Service) -> bool:
        words = str(self["q"].value() or "").lower().split()
        if self[f"use_{service.slug}"].value():
            return True
        names = [service.name, service.slug, service.category, *service.aliases]
        text = " ".join(names).lower()
        return all(word in text for word in words)

    def _category(self, title: str, services: Iterable[Service]) -> Category:
        choices = [self._choice(service) for service in services]
        return Category(title, choices, bool(self["q"].value()))

    def _choice(self, service: Service) -> Choice:
        variant = f"variant_{service.slug}"
        return Choice(
            service,
            self[f"use_{service.slug}"],
            self[variant] if variant in self.fields else None,
            _meaning(service),
        )

    def chosen_variants(self) -> list[ServiceVariant]:
        """The variants ticked so far, whatever else is filled in."""
        return [
            _variant(service, str(self._value(f"variant_{service.slug}")))
            for service in self.services
            if self[f"use_{service.slug}"].value()
        ]

    def tally(self) -> ClassTally | None:
        """What the services ticked so far make of the baseline chosen so far; None
        where there is nothing to count."""
        variants = self.chosen_variants()
        baseline = self.baseline_taken
        if baseline is None or not variants:
            return None
        own_code = bool(self["own_code"].value())
        return tally_of(baseline, variants, has_own_code=own_code)

    @cached_property
    def baseline_taken(self) -> Baseline | None:
        """The baseline chosen so far; of none, that of the regime and level so far."""
        known = {str(row.pk): row for row in Baseline.objects.all()}
        if chosen := str(self["baseline"].value() or ""):
            return known.get(chosen)
        regime, level = self["regime"].value(), self["impact_level"].value()
        slug = proposed_baseline(str(regime or ""), str(level or ""))
        return next((row for row in known.values() if row.slug == slug), None)

    def is_proposed(self) -> bool:
        """Whether nobody has chosen a baseline."""
        return not self["baseline"].value()

    def _value(self, name: str) -> Any:
        return self[name].value() or "" if name in self.fields else ""

    def about_system(self) -> list[forms.BoundField]:
        """The fields of the first part of the page that each system has to fill in."""
        return [
            self[name]
            for name in self.Meta.fields
            if name not in ("name", *SELDOM_CHANGED)
        ]

    def seldom_changed(self) -> list[forms.BoundField]:
        """Those that most leave as they are, or empty."""
        return [self[name] for name in SELDOM_CHANGED]

    def seldom_is_open(self) -> bool:
        """Whether one of them is wrong, so that it must be seen."""
        return any(field.errors for field in self.seldom_changed())

    def family_owners(self) -> list[forms.BoundField]:
        """One select per family."""
        return [self[f"owner_{family}"] for family in self.families]

    def ticked(self) -> list[Service]:
        """The services chosen."""
        return [s for s in self.services if self.cleaned_data.get(f"use_{s.slug}")]

    def clean(self) -> dict[str, Any]:
        """At least one component, a baseline, an owner, and variants that exist."""
        cleaned = super().clean() or self.cleaned_data
        if not self.ticked():
            self.add_error(None, "Services: tick at least one service in use.")
        if not cleaned.get("baseline") and "baseline" not in self.errors:
            if self.baseline_taken is None:
                self.add_error("baseline", NONE_PROPOSED)
            else:
                cleaned["baseline"] = self.baseline_taken
        if not cleaned.get("owner") and not cleaned.get("new_team"):
            self.add_error("owner", "Name the team that owns the controls.")
        return cleaned

    @transaction.atomic
    def save(self, *, by: Actor) -> System:  # type: ignore[override]
        """The system with its components, classes and requirements.

        Raises Refused for the name of a system that the person reads already: a form
        that was gone back to and sent again would make a second one.
        """
        system = self.instance
        if twin := System.objects.visible_to(by).called(system.name).first():
            sentence = f"There is a system “{twin}” already. Choose another name."
            raise Refused({"name": sentence})
        system.slug = free_slug(system.name)
        return create_system(
            system,
            self._uses(),
            self._owners(by),
            by=by,
            asked_from=self.cleaned_data.get("asked_from"),
            joined=self.cleaned_data["joined"],
        )

    def _uses(self) -> list[Use]:
        cleaned = self.cleaned_data
        return [
            Use(
                variant=_variant(service, cleaned.get(f"variant_{service.slug}", "")),
                used_from=cleaned["used_from"],
                regions=cleaned["regions"],
            )
            for service in self.ticked()
        ]

    def _owners(self, by: Actor) -> dict[str, Team]:
        cleaned = self.cleaned_data
        named = {
            family: cleaned[f"owner_{family}"]
            for family in self.families
            if cleaned.get(f"owner_{family}")
        }
        teams = Team.objects.in_bulk(set(named.values()), field_name="slug")
        owners = {family: teams[slug] for family, slug in named.items()}
        owners[""] = cleaned["owner"] or team_named(cleaned["new_team"], by=by)
        return owners


def team_named(name: str, *, by: Actor) -> Team:
    """The team of that name; a new one where there is none."""
    team = Team.objects.filter(name__iexact=name.strip()).first()
    if team:
        return team
    slug = slugify(name)[:60] or "team"
    team = Team(name=name.strip(), slug=slug)
    team.full_clean()
    team.save(force_insert=True)
    AuditEvent.objects.append(about(team, "team.created", by=by))
    return team


def _variant(service: Service, slug: str) -> ServiceVariant:
    variants = list(service.variants.all())
    named = [variant for variant in variants if variant.slug == slug]
    defaults = [variant for variant in variants if variant.is_default]
    return (named or defaults or variants)[0]


def _meaning(service: Service) -> str:
    """What using it means, told from its default variant."""
    variants = list(service.variants.all())
    if service.provider == Provider.AWS and not _variant(service, "").layers.all():
        return "Not classified: all of it counts as yours until somebody reads it"
    layers = {
        row.layer: LayerSaid(row.party, row.duty)
        for row in sorted(_variant(service, "").layers.all(), key=_shipped_first)
    }
    return meaning_of(
        layers,
        provider=service.provider,
        is_global=service.is_global,
        variants=len(variants),
    )


def _shipped_first(row: ServiceLayer) -> bool:
    """A local reading shadows the shipped one, so it comes last."""
    return bool(row.origin == Origin.LOCAL)


def _families() -> dict[str, str]:
    controls = Control.objects.live().filter(baselines__isnull=False)
    pairs = controls.order_by("family").values_list("family", "family_title")
    return dict(pairs.distinct())
