"""The app that answers *how is it proven, and does the proof hold*."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Requirements, evidence, reviews, AWS artifacts, status and exports."""

    name = "evidence"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of settings, which have no app of their own, and what
        two officers may change of asks and components."""
        from evidence.files import retention  # noqa: F401 - registers its kind
        from evidence.notices import invitations  # noqa: F401 - queues their mails
        from evidence.requirements import (  # noqa: F401 - likewise
            in_retrospect,
            joining_in_retrospect,
        )
        from evidence.systems import (  # noqa: F401 - likewise
            component_days,
            provider_documents,
            service_changes,
        )
        from srm_project import checks  # noqa: F401 - registers itself
