"""The operators' door: Django's admin for every model of `controls`."""

from django.contrib import admin

from controls.admin import (
    catalog,
    installation_roles,
    people,
    record,
    signins,
)

__all__ = [
    "catalog",
    "installation_roles",
    "people",
    "record",
    "signins",
]

admin.site.site_header = "SRM administration"
admin.site.site_title = "SRM"
admin.site.index_title = "What operators may see and change"
