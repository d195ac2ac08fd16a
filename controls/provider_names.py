"""The one name under which a provider is known, however people write it."""

from __future__ import annotations

from django.utils.text import slugify

AWS = "aws"
CALLED_AWS = frozenset({"aws", "amazon", "amazon-aws", "amazon-web-services"})


def provider_slug(name: str) -> str:
    """`AWS` and `Amazon Web Services` are "aws"; others go by their own words."""
    slug = slugify(name)[:60].strip("-")
    return AWS if slug in CALLED_AWS else slug
