"""AWS services and other components, and who runs each layer of them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from controls.models.catalog import Origin, ReferenceVersion


class Provider(models.TextChoices):
    """Who offers a component."""

    AWS = "aws", "AWS"
    CUSTOMER = "customer", "Your organisation"
    THIRD_PARTY = "third-party", "Third party"


class PartyChoice(models.TextChoices):
    """Who runs a layer of a component."""

    AWS = "aws", "AWS"
    CUSTOMER = "customer", "Customer"
    BOTH = "both", "Provider and customer"
    THIRD_PARTY = "third-party", "Third party"
    ALL = "all", "AWS, third party and customer"


class DutyKind(models.TextChoices):
    """Whether a duty is a setting of an AWS feature or something of one's own."""

    CONFIGURED = "configured", "Configured"
    PROVIDED = "provided", "Provided"


class Service(models.Model):
    """An AWS service, or a component that is not AWS (office, carrier link)."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    provider = models.CharField(max_length=12, choices=Provider, default=Provider.AWS)
    category = models.CharField(max_length=60, blank=True, default="")
    is_global = models.BooleanField(default=False)
    aliases = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    source = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServiceVariant(models.Model):
    """A way to use a service that moves responsibility (Lambda update mode)."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="variants")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["service__name", "-is_default", "slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "slug"], name="service_variant_unique"
            ),
            models.UniqueConstraint(
                fields=["service"],
                condition=Q(is_default=True),
                name="service_has_one_default_variant",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceLayer(models.Model):
    """Who runs one layer of a service variant. No row: the layer is not there."""

    variant = models.ForeignKey(ServiceVariant, models.CASCADE, related_name="layers")
    reference_version = models.ForeignKey(ReferenceVersion, models.PROTECT)
    layer = models.CharField(max_length=40)
    party = models.CharField(max_length=12, choices=PartyChoice)
    kind = models.CharField(max_length=10, choices=DutyKind)
    duty = models.TextField(blank=True, default="")
    source = models.CharField(max_length=300)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.SHIPPED)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "layer", "origin"], name="service_layer_said_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.layer}: {self.party}"
