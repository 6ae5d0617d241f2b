"""How the tests ask the API."""

from __future__ import annotations

NOBODY = "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11"
URL = "/api/notifications/"


def patch(client, item, data):
    return client.patch(f"{URL}{item.pk}/", data, content_type="application/json")


def mark(client, data):
    return client.post(f"{URL}mark/", data, content_type="application/json")
