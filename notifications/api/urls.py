"""Addresses of the API, below /api/: with and without the closing slash."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from notifications.api import service_worker
from notifications.api.endpoints import EndpointViewSet
from notifications.api.mutes import MuteViewSet
from notifications.api.personal import SettingsView
from notifications.api.preferences import PreferencesView
from notifications.api.problems import Nowhere
from notifications.api.publish import PublishViewSet
from notifications.api.schema import DocsView, SchemaView
from notifications.api.stream_token import StreamTokenView
from notifications.api.viewsets import NotificationViewSet

router = SimpleRouter()
# Given to the constructor, it would be coerced to "/".
router.trailing_slash = "/?"
router.register("notifications/mutes", MuteViewSet, basename="mute")
router.register("notifications/endpoints", EndpointViewSet, basename="endpoint")
router.register("notifications/publish", PublishViewSet, basename="publish")
router.register("notifications", NotificationViewSet, basename="notification")

urlpatterns = [
    re_path("^schema/?$", SchemaView.as_view(), name="schema"),
    re_path("^docs/?$", DocsView.as_view(), name="docs"),
    re_path("^notifications/preferences/?$", PreferencesView.as_view(), name="preferences"),
    re_path("^notifications/settings/?$", SettingsView.as_view(), name="settings"),
    re_path(r"^notifications/service-worker\.js$", service_worker.shown, name="notification-service-worker"),
    # The stream itself is none of Django's: notifications/api/stream.py
    re_path("^notifications/stream/token/?$", StreamTokenView.as_view(), name="notification-stream-token"),
    *router.urls,
    re_path("", Nowhere.as_view()),
]
