"""`check --deploy` says which settings work and promise less."""

from __future__ import annotations

import pytest
from django.core.checks import Info, registry

OWNER = {"USER": "srm_owner"}
FULL = {
    "DATABASE_OWNER": OWNER,
    "APP_DATABASE_USER": "srm_app",
    "CLAMAV_URL": "unix:///run/clamd",
    "BROKER_URL": "redis://broker",
    "SENDS_MAIL": True,
    "MFA_REQUIRED": True,
}
LESS = [
    ("DATABASE_OWNER", None, "srm.I001"),
    ("APP_DATABASE_USER", "srm_owner", "srm.I001"),
    ("CLAMAV_URL", "", "srm.I002"),
    ("BROKER_URL", "", "srm.I003"),
    ("SENDS_MAIL", False, "srm.I004"),
    ("MFA_REQUIRED", False, "srm.I005"),
]


def notes() -> list[Info]:
    """What our check says, out of all that `check --deploy` runs."""
    checks = registry.registry.get_checks(include_deployment_checks=True)
    (ours,) = [check for check in checks if check.__module__ == "srm_project.checks"]
    return ours(app_configs=None)


def test_full_settings_need_no_word(settings) -> None:
    for name, value in FULL.items():
        setattr(settings, name, value)
    assert notes() == []


@pytest.mark.parametrize(("name", "value", "identifier"), LESS)
def test_each_setting_that_promises_less_is_named(
    settings, name, value, identifier
) -> None:
    for other, full in FULL.items():
        setattr(settings, other, full)
    setattr(settings, name, value)
    (note,) = notes()
    assert note.id == identifier
    assert note.hint
    assert not note.is_serious()
