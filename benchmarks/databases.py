"""A database for each contestant on the common server."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import psycopg


def create_database(url: str, name: str) -> str:
    """Make an empty database beside the one of `url`, in place of one of that name; return its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
