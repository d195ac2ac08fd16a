"""The operators' door: Django's admin for every model of `controls`."""

from controls.admin import catalog, people, record, systems

__all__ = ["catalog", "people", "record", "systems"]
