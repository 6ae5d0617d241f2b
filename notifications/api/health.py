"""What load balancers, deployments and Prometheus ask. No session, no user, nothing cached."""

from __future__ import annotations

from dataclasses import asdict
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from django.http import HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from notifications import conf
from notifications.services import health
from notifications.services.metrics import render

if TYPE_CHECKING:
    from django.http import HttpRequest

#: A proxy on this machine makes everybody look local; what it forwarded carries one of these.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


@cache_control(no_store=True)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; asks nothing and nobody."""
    return JsonResponse({"ok": True})


@cache_control(no_store=True)
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Say whether the system is fit to work: 200 or 503. What was found is told to those who may read the metrics."""
    found = health.ready()
    told = asdict(found) if _may_read(request) else {"ok": found.ok}
    return JsonResponse(told, status=200 if found.ok else 503)


@cache_control(no_store=True)
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures as Prometheus reads them. 401: the token is wrong; 404: there is none, and you are not local."""
    if _may_read(request):
        return HttpResponse(render(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    if conf.current().metrics_token:
        return HttpResponse(
            "Unauthorized\n", content_type="text/plain", status=401, headers={"WWW-Authenticate": "Bearer"}
        )
    return HttpResponse("Not Found\n", content_type="text/plain", status=404)


def _may_read(request: HttpRequest) -> bool:
    """Tell whether the request carries the token; without a token, whether it comes from this machine."""
    token = conf.current().metrics_token
    if not token:
        return _is_local(request)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return constant_time_compare(given.strip(), token) and scheme.lower() == "bearer"


def _is_local(request: HttpRequest) -> bool:
    """Go by the address of the peer alone; a header can only take the right away."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback
