"""The variables a template declares, as JSON in a form: {"order_number": {"sample": "ORD-10042", "required": true}}."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext_lazy as _

from notifications.exceptions import NotPlainData
from notifications.inputs import plain_json
from notifications.pipeline.rendering import RESERVED
from notifications.registry import did_you_mean

#: What the template language itself gives a meaning to.
_WORDS = frozenset({"True", "False", "None", "forloop"})
_KEYS = ("sample", "required")


class VariablesField(forms.JSONField):
    """Names with a sample each; `required` is true unless it says otherwise."""

    widget = AdminTextareaWidget(attrs={"class": "vLargeTextField source", "rows": 12, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """Return the variables in their full form."""
        try:
            given = super().to_python(value)
            return {} if given in self.empty_values else _checked(given)
        except NotPlainData as e:
            raise ValidationError(str(e)) from e
        except (ValueError, RecursionError) as e:
            raise _not_json() from e

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what the form shows again: as typed."""
        return initial if self.disabled else InvalidJSONInput(data or "")

    def prepare_value(self, value: Any) -> Any:
        """Return the text to edit."""
        if isinstance(value, InvalidJSONInput):
            return value
        return json.dumps({} if value is None else value, ensure_ascii=False, indent=2)


def _checked(given: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(given, dict):
        raise ValidationError(_('Write an object: {"name": {"sample": "…", "required": true}}.'))
    plain_json(given, str(_("variables")))
    return {name: _declaration(name, declared) for name, declared in given.items()}


def _declaration(name: str, declared: Any) -> dict[str, Any]:
    if not name.isidentifier() or name.startswith("_") or name in _WORDS:
        message = _("%(name)r cannot be a name: use letters, digits and underscores, beginning with a letter.")
        raise ValidationError(message % {"name": name})
    if name in RESERVED:
        raise ValidationError(_("Every template has %(name)r already; choose another name.") % {"name": name})
    if not isinstance(declared, dict) or "sample" not in declared:
        message = _('%(name)r needs a sample: {"sample": "…", "required": true}.')
        raise ValidationError(message % {"name": name})
    for key in declared:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            message = _("%(name)r has the key %(key)r%(hint)s; there are sample and required.")
            raise ValidationError(message % {"name": name, "key": key, "hint": hint})
    required = declared.get("required", True)
    if not isinstance(required, bool):
        raise ValidationError(_("%(name)r: required is true or false.") % {"name": name})
    return {"sample": declared["sample"], "required": required}


def _not_json() -> ValidationError:
    return ValidationError(_("This cannot be read as JSON."), code="invalid")
