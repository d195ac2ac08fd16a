"""Derive the class of every control of a baseline from services, writing nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from controls.models import Baseline, Control, ServiceVariant
from controls.models.services import Provider
from controls.responsibility.derive import (
    ComponentInUse,
    Derivation,
    derive,
    organisation,
)
from controls.responsibility.inputs import component_in_use, layers_of_controls
from controls.service_names import by_name, nearest

WRONG_USE = 2


class Command(BaseCommand):
    """`derive --baseline SLUG --service SLUG[:VARIANT] ... [--component SLUG]`."""

    # The checks read every page's code, which takes longer than the work; the web
    # process does not start without them.
    requires_system_checks = ()

    help = "Print the class, duties and basis of each control of a baseline."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and meanings are fixed: scripts call them."""
        parser.add_argument("--baseline", required=True)
        parser.add_argument("--service", action="append", default=[])
        parser.add_argument("--component", action="append", default=[])
        parser.add_argument("--no-own-code", action="store_true")
        parser.add_argument("--format", choices=["json", "table"], default="json")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, or name the nearest known words and exit with 2."""
        controls = self._controls(options["baseline"])
        running = [organisation(has_own_code=not options["no_own_code"])]
        running += self._components(options["service"], aws=True)
        running += self._components(options["component"], aws=False)
        layers = layers_of_controls(controls)
        answers = [(c, derive(layers[c.pk], running)) for c in controls]
        if options["format"] == "json":
            documents = [
                document(control, derivation) for control, derivation in answers
            ]
            self.stdout.write(json.dumps(documents, indent=1))
            return
        for control, derivation in answers:
            self.stdout.write(
                f"{control.label:<12} {derivation.responsibility:<12} {control.title}"
            )

    def _controls(self, slug: str) -> list[Control]:
        baseline = Baseline.objects.filter(slug=slug).first()
        if baseline is None:
            known = Baseline.objects.values_list("slug", flat=True)
            self._unknown("baseline", slug, known)
        return list(baseline.controls.order_by("sort_order"))

    def _components(self, named: list[str], *, aws: bool) -> list[ComponentInUse]:
        variants = ServiceVariant.objects.select_related("service").prefetch_related(
            "layers"
        )
        known = by_name(
            variant
            for variant in variants
            if (variant.service.provider == Provider.AWS) is aws
        )
        variants_in_use = {self._known(text, known, aws=aws) for text in named}
        return [
            component_in_use(v.service.slug, v.slug, v.service.provider, v.layers.all())
            for v in sorted(variants_in_use, key=lambda v: (v.service.slug, v.slug))
        ]

    def _known(
        self, text: str, known: dict[str, ServiceVariant], *, aws: bool
    ) -> ServiceVariant:
        variant = known.get(text.strip().lower())
        if variant is None:
            self._unknown("service" if aws else "component", text, known)
        return variant

    def _unknown(self, what: str, text: str, known: Iterable[str]) -> NoReturn:
        near = nearest(text, known)
        hint = f" Nearest: {', '.join(near)}." if near else ""
        self.stderr.write(f"There is no {what} “{text}”.{hint}")
        sys.exit(WRONG_USE)


def document(control: Control, derivation: Derivation) -> dict[str, Any]:
    """One control as published: keys are fixed."""
    return {
        "control_id": control.ref_id,
        "responsibility": derivation.responsibility,
        "aws": list(derivation.aws_duties),
        "customer": list(derivation.customer_duties),
        "basis": derivation.as_json(),
    }
