"""Routes of `controls`."""

from django.urls import path

from controls.views import systems

app_name = "controls"
urlpatterns = [
    # After signing in.
    path("", systems.first_page, name="systems"),
]
