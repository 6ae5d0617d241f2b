"""How the tests ask the API."""

from __future__ import annotations

NOBODY = "9e107d9d-372b-4b68-a5d1-0c2e8f3d7c11"
URL = "/api/notifications/"
#: What services publish in tests, but for whom.
SAID = {"template": "ORDER_CREATED", "variables": {"order_number": "ORD-1"}}


def patch(client, item, data):
    return client.patch(f"{URL}{item.pk}/", data, content_type="application/json")


def mark(client, data):
    return client.post(f"{URL}mark/", data, content_type="application/json")


def described(client, scheme):
    """Return the addresses that the API's own description opens to a session, or to a key: path → methods."""
    paths = client.get("/api/schema/?format=json").json()["paths"]
    return {
        path: methods for path, methods in paths.items() if all({scheme: []} in m["security"] for m in methods.values())
    }


def publish(client, key, data, **headers):
    """Publish with a key; `headers` in Python's spelling."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"{URL}publish/", data, content_type="application/json", headers={**bearer(key), **named})


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def outcome(client, key, publication_id):
    return client.get(f"{URL}publish/{publication_id}/", headers=bearer(key))
