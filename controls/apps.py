"""The app that answers *what must be true, and who is responsible for it*."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ControlsConfig(AppConfig):
    """Catalogs, services, systems, people, responsibility decisions, audit log."""

    name = "controls"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep history twins, triggers and grants in step with every migrate; know
        what can be changed in retrospect."""
        from controls import (  # noqa: F401 - register their kinds
            audit_window,
            exclusions_in_retrospect,
            implementation_in_retrospect,
            system_terms,
        )
        from controls.accounts import (  # noqa: F401 - connect their receivers
            credentials,
            sign_ins,
        )
        from controls.history import install
        from controls.responsibility import overrides  # noqa: F401 - the same

        post_migrate.connect(install.after_migrate)
