"""The demo's people and articles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth import authenticate, get_user_model

from config.demo.seed import ARTICLES, PASSWORD, PEOPLE, seed
from inventory.models import STOCK_MANAGERS, Product, StockItem
from notifications.models import Category, RecipientSettings, Template

NOW = datetime(2030, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def real_hashers(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


def test_everybody_can_log_in_and_be_reached():
    seed(now=NOW)

    for person in PEOPLE:
        user = authenticate(username=person.username, password=PASSWORD)
        assert user is not None
        assert user.email == person.email
        assert user.is_staff == user.is_superuser == (person.username == "admin")
        assert RecipientSettings.objects.get(recipient=user).phone == person.phone
    assert RecipientSettings.objects.get(recipient__username="bob").locale == "de"
    assert [user.username for user in get_user_model().objects.filter(groups__name=STOCK_MANAGERS)] == ["charlie"]


def test_templates_categories_and_articles_are_there():
    seed(now=NOW)

    assert Template.objects.filter(live_version__isnull=False).count() == 8
    assert Category.objects.count() == 5
    assert Product.objects.filter(stock__quantity__gt=0).count() == len(ARTICLES)


def test_seeding_again_adds_nothing_and_keeps_what_was_changed():
    seed(now=NOW)
    RecipientSettings.objects.filter(recipient__username="alice").update(phone="+4915559999999")
    StockItem.objects.filter(product__sku="KET-010").update(quantity=3)

    seed(now=NOW)

    assert get_user_model().objects.count() == len(PEOPLE)
    assert Product.objects.count() == len(ARTICLES)
    assert RecipientSettings.objects.get(recipient__username="alice").phone == "+4915559999999"
    assert StockItem.objects.get(product__sku="KET-010").quantity == 3
