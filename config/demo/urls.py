"""Addresses of the demo shop, mounted at "/" when settings.DEMO says so."""

from __future__ import annotations

from django.urls import path

from config.demo.views import orders, outbox, people, shop, stock

app_name = "demo"
urlpatterns = [
    path("", shop.show, name="shop"),
    path("login/", people.log_in, name="login"),
    path("logout/", people.log_out, name="logout"),
    path("register/", people.register, name="register"),
    path("orders/", orders.place, name="place"),
    path("orders/<str:number>/", orders.show, name="order"),
    path("orders/<str:number>/pay/", orders.pay, name="pay"),
    path("orders/<str:number>/ship/", orders.ship, name="ship"),
    path("orders/<str:number>/deliver/", orders.deliver, name="deliver"),
    path("stock/<int:pk>/sell/", stock.sell, name="sell"),
    path("stock/<int:pk>/restock/", stock.restock, name="restock"),
    path("outbox/", outbox.show, name="outbox"),
    path("outbox/<slug:file>/<int:index>/", outbox.show_email, name="email"),
]
