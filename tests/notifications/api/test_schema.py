"""The API's own description."""

from __future__ import annotations

import re

from django.core.management import call_command


def test_the_description_is_valid_and_nothing_is_guessed(tmp_path):
    path = tmp_path / "schema.yml"

    call_command("spectacular", validate=True, fail_on_warn=True, file=str(path))

    assert "/api/notifications/mark/:" in path.read_text()


def test_every_operation_says_what_its_errors_look_like(client):
    paths = client.get("/api/schema/?format=json").json()["paths"]

    operations = [operation for path in paths.values() for operation in path.values()]
    assert len(operations) > 5
    for operation in operations:
        (content,) = operation["responses"]["4XX"]["content"]
        assert content == "application/problem+json"


def test_the_docs_load_nothing_from_elsewhere(client):
    page = client.get("/api/docs/")
    script = client.get("/api/docs/?script")

    assert page.status_code == script.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert addresses
    assert all(address.startswith("/") for address in addresses)
    assert "unpkg" not in script.content.decode()
    assert "script-src" not in page["Content-Security-Policy"]
    assert page["Content-Security-Policy"].startswith("default-src 'self';")
