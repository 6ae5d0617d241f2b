"""Who somebody is in the demo: one click instead of a password."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from config.demo.pages import local_path, telling
from config.demo.seed import PASSWORD
from orders.services import register_customer

BACKEND = "django.contrib.auth.backends.ModelBackend"
#: Of a new customer.
NAME = forms.CharField(
    max_length=50, error_messages={"required": "Please give a name.", "max_length": "Please give a shorter name."}
)


@require_POST
def log_in(request: HttpRequest) -> HttpResponse:
    """Log in as anybody, without a password."""
    if not settings.DEMO:
        raise Http404
    user = get_object_or_404(get_user_model(), username=request.POST.get("username", ""), is_active=True)
    login(request, user, backend=BACKEND)
    return redirect(local_path(request))


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("demo:shop")


@require_POST
def register(request: HttpRequest) -> HttpResponse:
    """Open an account for a new customer and log in as them."""
    if not settings.DEMO:
        raise Http404
    with telling(request):
        customer = _register(request.POST.get("first_name", ""))
        login(request, customer, backend=BACKEND)
        seconds = settings.ORDERS_WELCOME_DELAY.total_seconds()
        messages.success(request, f"Your account is open. Your welcome arrives in {seconds:g} seconds: watch the bell.")
    return redirect("demo:shop")


def _register(name: str) -> User:
    first_name = NAME.clean(name)
    username = _free_username(slugify(first_name) or "customer")
    try:
        return register_customer(username, email=f"{username}@example.com", password=PASSWORD, first_name=first_name)
    except IntegrityError as e:
        # Somebody of that name registered in the same instant.
        message = "This name was just taken; please try again."
        raise ValidationError(message) from e


def _free_username(wanted: str) -> str:
    taken = set(get_user_model().objects.filter(username__startswith=wanted).values_list("username", flat=True))
    candidates = (f"{wanted}{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (wanted, *candidates) if name not in taken)
