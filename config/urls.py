"""Every address of the site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/", include("notifications.api.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("", include("config.demo.urls")))
