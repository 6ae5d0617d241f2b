"""The site, and one page more: a host page with the bell, under the strictest content policy there is."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType
from django.core.signals import request_started
from django.http import HttpResponse
from django.template import engines
from django.urls import path

from config.urls import urlpatterns as site

CONTENT_POLICY = "default-src 'self'; require-trusted-types-for 'script'; base-uri 'none'; object-src 'none'"
PAGE = """{% load notification_center %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Host page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"></head>
<body><header><a href="/host/">Home</a> {% notification_center %}</header>
<main><h1>Host page</h1><p>Something to read.</p><a href="/host/?other">Another page</a></main></body></html>
"""


def forget_content_types(**_):
    """After each test the database is emptied, and its content types are made anew, with other ids."""
    ContentType.objects.clear_cache()


request_started.connect(forget_content_types)


def host(request):
    page = engines["django"].from_string(PAGE).render({}, request)
    return HttpResponse(page, headers={"Content-Security-Policy": CONTENT_POLICY})


urlpatterns = [path("host/", host), *site]
