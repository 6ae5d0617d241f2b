"""Addresses that must turn up nowhere but where addresses belong."""

from __future__ import annotations

from django.db import connection

#: Where an address may be.
ADDRESS_COLUMNS = {
    "auth_user.email",
    "notifications_delivery.address",
    "notifications_endpoint.address",
    "notifications_recipientsettings.phone",
    "notifications_suppression.address",
}


def hits_in_database(canaries):
    """Return the columns, other than of addresses, in which one of these texts is: every column of every table."""
    found = set()
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {quote(table)}")  # noqa: S608 - names are ours
            names = [f"{table}.{column[0]}" for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if any(canary in str(value) for canary in canaries):
                        found.add(name)
    return found - ADDRESS_COLUMNS
