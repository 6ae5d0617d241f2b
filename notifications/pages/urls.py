"""Addresses of the pages, to be mounted where a project wants them: `path("notifications/", include(…))`."""

from __future__ import annotations

from django.urls import path

from notifications.pages import inbox, preferences

app_name = "notifications"
urlpatterns = [
    path("", inbox.listed, name="inbox"),
    path("mark/", inbox.marked, name="mark"),
    path("preferences/", preferences.shown, name="preferences"),
    path("preferences/settings/", preferences.settings_saved, name="settings"),
    path("<uuid:pk>/", inbox.changed, name="change"),
    path("<uuid:pk>/why/", inbox.why, name="why"),
]
