"""Addresses for people and providers who are not logged in, to be mounted at the root: `path("n/", include(…))`."""

from __future__ import annotations

from django.urls import path

from notifications.pages import unsubscribe
from notifications.webhooks import callbacks

app_name = "n"
urlpatterns = [
    path("unsubscribe/<str:token>/", unsubscribe.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>/", unsubscribe.preferences_by_link, name="preferences"),
    path("callbacks/<slug:provider>/", callbacks.receive, name="callback"),
]
