"""The group of the stock managers is made by a migration."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection

from inventory.models import STOCK_MANAGERS

pytestmark = pytest.mark.django_db

migration = import_module("inventory.migrations.0002_stock_managers_group")


def test_the_group_is_made_under_the_name_the_code_uses():
    Group.objects.all().delete()

    migration.make_group(apps, connection.schema_editor())

    assert Group.objects.get().name == STOCK_MANAGERS


def test_a_group_that_staff_made_keeps_its_members(alice):
    group, _ = Group.objects.get_or_create(name=STOCK_MANAGERS)
    group.user_set.add(alice)

    migration.make_group(apps, connection.schema_editor())

    assert list(Group.objects.get(name=STOCK_MANAGERS).user_set.all()) == [alice]
