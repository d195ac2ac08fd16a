"""What the web server calls."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from srm_project.frames import with_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
os.environ.setdefault("SRM_PROCESS", "web")

application = with_room(get_wsgi_application())
# Every view is loaded before the first request, and what is loaded lives as long as
# the process: collections of garbage (50 ms for all of it) need not look at it again.
assert get_resolver().url_patterns
gc.collect()
gc.freeze()
