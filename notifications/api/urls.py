"""Addresses of the API, below /api/: with and without the closing slash."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from notifications.api.stream_token import StreamTokenView
from notifications.api.viewsets import NotificationViewSet

router = SimpleRouter()
# Given to the constructor, it would be coerced to "/".
router.trailing_slash = "/?"
router.register("notifications", NotificationViewSet, basename="notification")

urlpatterns = [
    # The stream itself is none of Django's: notifications/api/stream.py
    re_path(r"^notifications/stream/token/?$", StreamTokenView.as_view(), name="notification-stream-token"),
    *router.urls,
]
