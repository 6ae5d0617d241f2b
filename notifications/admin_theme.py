"""
The look of the admin: django-unfold and django-ace where they are installed, Django's own otherwise.

The one module that knows them: pages use the names below, and look right either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import widgets as stock_widgets
from django.templatetags.static import static

from notifications.services import journal

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ThemedAdmin
    from django.contrib.admin import StackedInline, TabularInline
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

#: Is it django-unfold that draws the pages?
UNFOLD = apps.is_installed("unfold")

if not TYPE_CHECKING:
    if UNFOLD:
        from unfold import forms as unfold_forms
        from unfold import widgets as unfold_widgets
        from unfold.admin import ModelAdmin as ThemedAdmin
        from unfold.admin import StackedInline, TabularInline
    else:
        from django.contrib.admin import ModelAdmin as ThemedAdmin
        from django.contrib.admin import StackedInline, TabularInline

if apps.is_installed("django_ace") and not TYPE_CHECKING:
    from django_ace import AceWidget as SourceArea
else:
    SourceArea = forms.Textarea

__all__ = ["UNFOLD", "CodeWidget", "Dressed", "ModelAdmin", "StackedInline", "TabularInline", "UserForms", "action"]
__all__ += ["display", "icon", "style_sheet"]

_F = TypeVar("_F", bound=Callable[..., Any])
#: Without its worker, which is a script made at run time: no content policy of ours allows that.
_ACE: dict[str, Any] = {
    "width": "100%",
    "height": None,
    "minlines": 5,
    "wordwrap": True,
    "showprintmargin": False,
    "toolbar": False,
    "useworker": False,
    "useStrictCSP": True,
}


class ModelAdmin(ThemedAdmin):  # type: ignore[type-arg]
    """The base of every page of ours about a model: in this look, and with the values of each change in the log."""

    class Media:
        css = {"all": ["notifications/admin.css"]}
        js = ["notifications/admin.js"]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Return what was changed, from what to what."""
        return journal.told(form, formsets, add=add)


def action(*, description: StrOrPromise, permissions: list[str] | None = None) -> Callable[[_F], _F]:
    """Make a method an action on the chosen rows of a list; `permissions` as in `django.contrib.admin.action`."""
    # Django's own: the theme's only adds icons and colours, which lists do not show.
    return admin.action(description=description, permissions=permissions)


def display(
    *,
    description: StrOrPromise,
    ordering: Any = None,
    boolean: bool | None = None,
    empty_value: str | None = None,
    label: Mapping[str, str] | bool | None = None,
) -> Callable[[_F], _F]:
    """
    Make a method a column; as `django.contrib.admin.display`.

    `label` shows the value as a coloured label: value → success, info, warning or danger. Plain text in the stock look.
    """
    name = admin.display(description=description, ordering=ordering, boolean=boolean, empty_value=empty_value)

    def decorate(function: _F) -> _F:
        named = name(function)
        if UNFOLD and label is not None:
            named.label = label  # type: ignore[attr-defined]
        return named

    return decorate


class CodeWidget(SourceArea):
    """An editor for source in a mode of Ace (`html`, `django`, `json`); a plain text area where it is not installed."""

    def __init__(self, mode: str = "django", *, lines: int = 20) -> None:
        """`lines` is how high it grows before one scrolls inside."""
        attrs = {"class": "vLargeTextField source", "rows": lines, "spellcheck": "false"}
        ace = {**_ACE, "mode": mode, "maxlines": lines} if apps.is_installed("django_ace") else {}
        super().__init__(attrs=attrs, **ace)


class Dressed(forms.BaseForm):
    """A form, of a model or not, whose inputs look like the rest of the page: `class MyForm(Dressed, forms.Form)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dress()

    def dress(self) -> None:
        """Dress the inputs; again, after adding some."""
        for field in self.fields.values():
            _dress(field)


class UserForms:
    """The forms of Django's own pages of users, in this look."""

    if UNFOLD and not TYPE_CHECKING:
        form = unfold_forms.UserChangeForm
        add_form = unfold_forms.UserCreationForm
        change_password_form = unfold_forms.AdminPasswordChangeForm


def style_sheet(request: HttpRequest) -> str:
    """Return the address of what our pages add to the look."""
    return static("notifications/admin.css")


def icon(request: HttpRequest) -> str:
    """Return the address of the picture on the browser's tab."""
    return static("notifications/icon.svg")


def _dress(field: forms.Field) -> None:
    widget = field.widget
    if not UNFOLD:
        if type(widget) is forms.TextInput:
            widget.attrs.setdefault("class", "vTextField")
        return
    if isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect):
        widget.template_name = "unfold/widgets/radio.html"
        widget.option_template_name = "unfold/widgets/radio_option.html"
    classes = next((classes for kind, classes in _CLASSES.items() if isinstance(widget, kind)), "")
    mine = widget.attrs.get("class", "")
    if classes and not isinstance(widget, stock_widgets.AutocompleteMixin) and classes not in mine:
        widget.attrs["class"] = f"{mine} {classes}".strip()


_CLASSES: dict[type[forms.Widget], str] = {}
if UNFOLD and not TYPE_CHECKING:
    # The first that fits, so the special ones first.
    _CLASSES = {
        kind: " ".join(classes)
        for kind, classes in (
            (forms.HiddenInput, []),
            (forms.RadioSelect, unfold_widgets.RADIO_CLASSES),
            (forms.CheckboxSelectMultiple, unfold_widgets.CHECKBOX_CLASSES),
            (forms.CheckboxInput, unfold_widgets.CHECKBOX_CLASSES),
            (forms.FileInput, unfold_widgets.FILE_CLASSES),
            (forms.Textarea, unfold_widgets.TEXTAREA_CLASSES),
            (forms.Select, unfold_widgets.SELECT_CLASSES),
            (forms.widgets.Input, unfold_widgets.INPUT_CLASSES),
        )
    }
