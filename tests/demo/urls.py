"""The site's addresses with the demo shop among them."""

from __future__ import annotations

from django.urls import include, path

from config.urls import urlpatterns as without_demo

urlpatterns = [*without_demo, path("", include("config.demo.urls"))]
