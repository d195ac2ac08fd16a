"""Routes of `controls`."""

from django.urls import URLPattern

app_name = "controls"
urlpatterns: list[URLPattern] = []
