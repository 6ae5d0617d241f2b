"""The look of the admin: the same pages in django-unfold and, without it, in Django's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.contrib import admin
from django.urls import reverse

from notifications import admin_theme

UNFOLD = settings.ADMIN_THEME == "unfold"


def pages():
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield model_admin, f"{name}_changelist"
        yield model_admin, f"{name}_add"


def test_every_page_opens(admin_client, rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    for model_admin, name in pages():
        may = not name.endswith("_add") or model_admin.has_add_permission(request)
        page = admin_client.get(reverse(name))

        assert page.status_code == (200 if may else 403), name
        if may:
            assert "notifications/admin.css" in page.text or model_admin.opts.app_label != "notifications"
            assert ("unfold/css/styles.css" in page.text) == UNFOLD, name


@pytest.mark.parametrize("name", ["index", "notifications_failures", "notifications_retention"])
def test_pages_of_no_model_open(admin_client, name):
    page = admin_client.get(reverse(f"admin:{name}"))

    assert page.status_code == 200
    assert "notifications/admin-dashboard.css" in page.text
    assert ("unfold/css/styles.css" in page.text) == UNFOLD


def test_every_page_is_drawn_by_the_look():
    kinds = {name: isinstance(model_admin, admin_theme.ModelAdmin) for model_admin, name in pages()}

    assert [name for name, is_ours in kinds.items() if not is_ours] == []


class Wishes(admin_theme.Dressed, forms.Form):
    name = forms.CharField()
    kind = forms.ChoiceField(choices=[("a", "A")])
    kinds = forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple)
    text = forms.CharField(widget=forms.Textarea(attrs={"class": "source"}))
    secret = forms.CharField(widget=forms.HiddenInput)


def test_inputs_of_our_own_forms_are_dressed():
    shown = {field.name: str(field) for field in Wishes()}

    assert "source" in shown["text"]
    if UNFOLD:
        assert all("rounded-default" in shown[name] for name in ("name", "kind", "text"))
        assert "class" not in shown["secret"]
    else:
        assert shown["name"].count("vTextField") == 1


def test_source_is_edited_in_an_editor_where_there_is_one():
    shown = admin_theme.CodeWidget("html", lines=7).render("body", "<p>", {"id": "id_body"})

    assert "&lt;p&gt;</textarea>" in shown
    assert ('data-mode="html"' in shown) == UNFOLD


@pytest.mark.skipif(not UNFOLD, reason="django-unfold is not installed, or ADMIN_THEME is stock")
def test_without_unfold_all_of_it_holds_too():
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", __file__],
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "ADMIN_THEME": "stock"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout
    assert "1 skipped" in answer.stdout
