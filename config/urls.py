"""Every address of the site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from notifications.api import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/", include("notifications.api.urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", health.metrics),
    path("n/", include("notifications.urls")),
    path("notifications/", include("notifications.pages.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("", include("config.demo.urls")))
