"""What every page of the demo has in common: the header's people, friendly errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from config.demo.seed import PEOPLE
from inventory.exceptions import InventoryError, OutOfStock
from inventory.models import STOCK_MANAGERS
from orders.exceptions import OrderError
from payments.exceptions import PaymentError

P = ParamSpec("P")

#: People offered in the header.
MAX_PEOPLE = 12


class Visit(HttpRequest):
    """A request of somebody who is logged in."""

    user: User


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page of the demo."""
    roles = {person.username: person.role for person in PEOPLE}
    users = get_user_model().objects.filter(is_active=True).order_by("pk")[:MAX_PEOPLE]
    shared = {
        "people": [{"user": user, "role": roles.get(user.username, "customer")} for user in users],
        "site_name": settings.NOTIFICATIONS["SITE_NAME"],
        "is_warehouse": is_warehouse(request.user),
        "next": local_path(request, default=request.path),
    }
    return render(request, template, shared | (context or {}), status=status)


def is_warehouse(user: Any) -> bool:
    """May this user ship orders and move stock?"""
    return bool(user.is_staff or user.groups.filter(name=STOCK_MANAGERS).exists())


def local_path(request: HttpRequest, *, default: str = "/") -> str:
    """Return where to go after logging in: `next`, if that is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    return wanted if is_ours else default


def logged_in(view: Callable[Concatenate[Any, P], HttpResponse]) -> Callable[Concatenate[Any, P], HttpResponse]:
    """Ask people who are not logged in who they are, and bring them back."""

    @wraps(view)
    def ask_first(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        messages.info(request, "Please choose who you are first.")
        query = f"?{urlencode({'next': request.path})}" if request.method == "GET" else ""
        return redirect(f"/{query}")

    return ask_first


def for_warehouse(view: Callable[Concatenate[Any, P], HttpResponse]) -> Callable[Concatenate[Any, P], HttpResponse]:
    """Let only those in who may ship orders and move stock."""

    @wraps(view)
    def send_away(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if is_warehouse(request.user):
            return view(request, *args, **kwargs)
        messages.error(request, "Only the warehouse can do this: switch to Charlie.")
        return redirect("demo:shop")

    return logged_in(send_away)


@contextmanager
def telling(request: HttpRequest) -> Iterator[None]:
    """Turn what a domain refuses into a message on the next page."""
    try:
        yield
    except OutOfStock as e:
        messages.error(request, f"Sorry, of {e.sku} only {e.left} left: {e.wanted} are too many.")
    except ValidationError as e:
        messages.error(request, " ".join(e.messages))
    except (InventoryError, OrderError, PaymentError) as e:
        messages.error(request, f"{str(e).rstrip('.')}.")
