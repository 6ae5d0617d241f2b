"""Who and what is in the demo shop when it opens. Everything may be repeated; what somebody changed is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group
from django.db import transaction

from inventory.models import STOCK_MANAGERS, Product, StockItem
from notifications.models import RecipientSettings
from notifications.services import seeding

#: Everybody's.
PASSWORD = "demo"  # noqa: S105 - printed at every start


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody to log in as."""

    username: str
    role: str
    phone: str
    locale: str = ""
    group: str = ""
    is_admin: bool = False

    @property
    def email(self) -> str:
        return f"{self.username}@example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """Something to buy. `picture` is an id in static/demo/icons.svg."""

    sku: str
    name: str
    price: str
    quantity: int
    threshold: int
    picture: str


ALICE = Person(username="alice", role="customer", phone="+4915550001001")
BOB = Person(username="bob", role="customer, reads German", phone="+4915550001002", locale="de")
CHARLIE = Person(username="charlie", role="warehouse, hears of low stock", phone="+4915550001003", group=STOCK_MANAGERS)
ADMIN = Person(username="admin", role="staff, sees everything", phone="+4915550001004", is_admin=True)
PEOPLE = (ALICE, BOB, CHARLIE, ADMIN)

ARTICLES = (
    Article(sku="ESP-100", name="Espresso machine", price="349.00", quantity=12, threshold=5, picture="machine"),
    Article(sku="KET-010", name="Gooseneck kettle", price="59.00", quantity=11, threshold=10, picture="kettle"),
    Article(sku="GRI-020", name="Hand grinder", price="79.00", quantity=30, threshold=10, picture="grinder"),
    Article(sku="CUP-030", name="Cup, hand-glazed", price="18.50", quantity=60, threshold=20, picture="cup"),
    Article(sku="BEA-250", name="Coffee beans, 250 g", price="8.90", quantity=400, threshold=40, picture="beans"),
    Article(
        sku="FIL-100", name="Paper filters, 100 pieces", price="4.50", quantity=250, threshold=50, picture="filter"
    ),
)


def seed(*, now: datetime) -> None:
    """Bring templates, categories, people and articles into the database, as far as they are not there yet."""
    seeding.seed(now=now)
    with transaction.atomic():
        for person in PEOPLE:
            _seed_person(person)
        for article in ARTICLES:
            _seed_article(article)


def _seed_person(person: Person) -> None:
    users = get_user_model().objects
    if users.filter(username=person.username).exists():
        return
    user = users.create(
        username=person.username,
        first_name=person.username.capitalize(),
        email=person.email,
        # One round: a secret everybody knows needs no second of hashing at the first start.
        password=PBKDF2PasswordHasher().encode(PASSWORD, salt=person.username, iterations=1),
        is_staff=person.is_admin,
        is_superuser=person.is_admin,
    )
    RecipientSettings.objects.create(recipient=user, phone=person.phone, locale=person.locale)
    if person.group:
        user.groups.add(Group.objects.get_or_create(name=person.group)[0])


def _seed_article(article: Article) -> None:
    product, created = Product.objects.get_or_create(
        sku=article.sku, defaults={"name": article.name, "price": Decimal(article.price)}
    )
    if created:
        StockItem.objects.create(product=product, quantity=article.quantity, low_stock_threshold=article.threshold)
