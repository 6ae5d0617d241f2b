"""Addresses of the API, below /api/: with and without the closing slash."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from notifications.api.problems import Nowhere
from notifications.api.publish import PublishViewSet
from notifications.api.schema import DocsView, SchemaView
from notifications.api.viewsets import NotificationViewSet

router = SimpleRouter()
# Given to the constructor, it would be coerced to "/".
router.trailing_slash = "/?"
router.register("notifications/publish", PublishViewSet, basename="publish")
router.register("notifications", NotificationViewSet, basename="notification")

urlpatterns = [
    re_path("^schema/?$", SchemaView.as_view(), name="schema"),
    re_path("^docs/?$", DocsView.as_view(), name="docs"),
    *router.urls,
    re_path("", Nowhere.as_view()),
]
