"""The pages of the shop, as different people see them."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from inventory.models import Product, StockItem
from notifications.models import Event
from orders.models import Order, OrderStatus
from tests.demo.conftest import told

WORKING, DECLINED, MISTYPED = "4242 4242 4242 4242", "4000 0000 0000 0002", "4242 4242 4242 4241"
PAGES = ["/", "/outbox/"]
ACTIONS = [
    "/orders/",
    "/orders/ORD-10001/pay/",
    "/orders/ORD-10001/ship/",
    "/orders/ORD-10001/deliver/",
    "/stock/1/sell/",
    "/stock/1/restock/",
]


@pytest.fixture
def kettle(shop):
    return Product.objects.get(sku="KET-010")


@pytest.fixture
def order(shop, kettle):
    """An order of Alice's."""
    shop("alice").post("/orders/", {f"quantity-{kettle.pk}": "1"})
    return Order.objects.get()


@pytest.fixture
def path(order):
    return f"/orders/{order.number}/"


@pytest.mark.parametrize("url", ["/login/", "/logout/", "/register/", *ACTIONS])
def test_every_form_needs_its_csrf_token(shop, url):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.get(username="admin"))

    assert browser.post(url, {"username": "bob"}).status_code == 403


@pytest.mark.parametrize("url", ["/login/", "/logout/", "/register/", *ACTIONS])
def test_nothing_happens_by_following_a_link(shop, url):
    assert shop("admin").get(url).status_code == 405


@pytest.mark.parametrize("who", ["", "alice", "charlie", "admin"])
@pytest.mark.parametrize("url", PAGES)
def test_pages_have_nothing_inline_and_say_so(shop, url, who):
    answer = shop(who).get(url)

    assert answer.status_code == 200
    assert "'unsafe-inline'" not in answer["Content-Security-Policy"]
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert " on" + "click=" not in answer.text


@pytest.mark.parametrize("url", ACTIONS)
def test_who_is_not_logged_in_is_asked_first(shop, url):
    answer = shop().post(url)

    assert answer["Location"] == "/"
    assert told(answer) == ["Please choose who you are first."]


def test_a_link_in_a_message_leads_on_after_logging_in(shop, path):
    browser = shop()

    answer = browser.get(path, follow=True)

    assert f'name="next" value="{path}"' in answer.text


def test_placing_an_order_leads_to_it(shop, kettle):
    answer = shop("alice").post("/orders/", {f"quantity-{kettle.pk}": "2"})

    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.number}/"
    assert order.customer.username == "alice"
    assert [(line.sku, line.quantity) for line in order.lines.all()] == [("KET-010", 2)]


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("0", "Please choose something first."),
        ("", "Please choose something first."),
        ("12", "Sorry, of KET-010 only 11 left: 12 are too many."),
        ("-1", "Ensure this value is greater than or equal to 0."),
        ("9" * 30, "Ensure this value is less than or equal to 9999."),
        ("a few", "Enter a whole number."),
    ],
)
def test_an_order_that_cannot_be_is_answered_kindly(shop, kettle, quantity, message):
    answer = shop("alice").post("/orders/", {f"quantity-{kettle.pk}": quantity})

    assert answer["Location"] == "/"
    assert told(answer) == [message]
    assert not Order.objects.exists()


def test_the_way_of_an_order(shop, path):
    alice, charlie = shop("alice"), shop("charlie")

    alice.post(f"{path}pay/", {"card": DECLINED})
    assert Order.objects.get().status == OrderStatus.PLACED
    alice.post(f"{path}pay/", {"card": WORKING})
    assert Order.objects.get().status == OrderStatus.PAID
    charlie.post(f"{path}ship/", {"tracking_code": "1Z"})
    assert Order.objects.get().status == OrderStatus.SHIPPED
    charlie.post(f"{path}deliver/")
    assert Order.objects.get().status == OrderStatus.DELIVERED

    assert alice.get(path).status_code == charlie.get(path).status_code == 200
    assert list(Event.objects.order_by("created_at").values_list("template_id", flat=True)) == [
        "ORDER_CREATED",
        "PAYMENT_FAILED",
        "PAYMENT_CAPTURED",
        "ORDER_SHIPPED",
        "ORDER_DELIVERED",
    ]


@pytest.mark.parametrize(
    ("who", "action", "data", "message"),
    [
        ("alice", "pay", {"card": MISTYPED}, "This is not a card number; check it for typing errors."),
        ("alice", "pay", {}, "This is not a card number; check it for typing errors."),
        ("charlie", "ship", {"tracking_code": "1Z"}, "only a paid order can become shipped."),
        ("charlie", "ship", {"tracking_code": " "}, "Please give the tracking code."),
        ("charlie", "ship", {"tracking_code": "1" * 65}, "at most 64 characters"),
        ("charlie", "deliver", {}, "only a shipped order can become delivered."),
    ],
)
def test_what_a_domain_refuses_is_told_on_the_order_page(shop, path, who, action, data, message):
    answer = shop(who).post(f"{path}{action}/", data)

    assert answer["Location"] == path
    assert message in told(answer)[0]
    assert Order.objects.get().status == OrderStatus.PLACED


def test_an_order_is_none_of_a_strangers_business(shop, path):
    bob = shop("bob")

    answer = bob.get(path)

    assert answer.status_code == 404
    assert "Gooseneck kettle" not in answer.text
    assert bob.post(f"{path}pay/", {"card": WORKING}).status_code == 404
    assert Order.objects.get().status == OrderStatus.PLACED
    assert path not in bob.get("/").text


@pytest.mark.parametrize("action", ["ship", "deliver"])
def test_customers_do_not_move_orders(shop, path, action):
    answer = shop("alice").post(f"{path}{action}/", {"tracking_code": "1Z"})

    assert told(answer) == ["Only the warehouse can do this: switch to Charlie."]


def test_selling_below_the_threshold_alerts(shop, kettle):
    answer = shop("charlie").post(f"/stock/{kettle.pk}/sell/", {"quantity": "2"})

    assert told(answer) == ["Gooseneck kettle: 9 left. That is below 10."]
    assert Event.objects.get().template_id == "LOW_STOCK_ALERT"


def test_restocking(shop, kettle):
    shop("charlie").post(f"/stock/{kettle.pk}/restock/", {"quantity": "9"})

    assert StockItem.objects.get(product=kettle).quantity == 20


@pytest.mark.parametrize("quantity", ["0", "-3", "", "many", "12", "9" * 30])
def test_a_movement_that_cannot_be_is_answered_kindly(shop, kettle, quantity):
    answer = shop("charlie").post(f"/stock/{kettle.pk}/sell/", {"quantity": quantity})

    assert len(told(answer)) == 1
    assert StockItem.objects.get(product=kettle).quantity == 11


def test_customers_do_not_move_stock(shop, kettle):
    shop("alice").post(f"/stock/{kettle.pk}/sell/", {"quantity": "1"})

    assert StockItem.objects.get(product=kettle).quantity == 11


def test_an_email_preview_may_do_nothing_but_be_read(shop, settings, tmp_path):
    settings.EMAIL_FILE_PATH = tmp_path
    mail = b"To: a@example.com\nSubject: Hi\nContent-Type: text/html\n\n<script>alert(1)</script>\n" + b"-" * 79 + b"\n"
    (tmp_path / "20300101-000000-1.log").write_bytes(mail)
    browser = shop()

    page, preview = browser.get("/outbox/"), browser.get("/outbox/20300101-000000-1/0/")

    assert 'src="/outbox/20300101-000000-1/0/" sandbox="' in page.text
    assert "<script>alert" not in page.text
    assert preview["Content-Security-Policy"].startswith("sandbox allow-popups")
    assert "allow-scripts" not in preview["Content-Security-Policy"]
    assert preview["X-Frame-Options"] == "SAMEORIGIN"
    assert browser.get("/outbox/20300101-000000-1/1/").status_code == 404
