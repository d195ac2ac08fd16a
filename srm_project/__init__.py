"""The project: settings, URLs, processes. The two apps know nothing of it."""

from srm_project.celery import app as celery_app

__all__ = ["celery_app"]
