"""What the web server calls."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("SRM_PROCESS", "web")

application = get_wsgi_application()
