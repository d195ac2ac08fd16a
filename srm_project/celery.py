"""The queue: a wake-up call only, the state of every job is in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")

app = Celery("srm_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
