"""`manage.py demo`: the whole system in one process, with a shop to try it in."""

from __future__ import annotations

import json
import os
import shutil
import signal
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.signals import setting_changed

from config.demo import check, server
from config.demo.seed import PASSWORD, PEOPLE, seed
from notifications import clock

DEFAULT_PORT = 8000


class Command(BaseCommand):
    help = "Open the demo shop: everything in one process, nothing to install or to configure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=_port, help=f"port to listen on; 0: any free one (default: {DEFAULT_PORT})")
        parser.add_argument("--fresh", action="store_true", help="begin with an empty database and outbox")
        parser.add_argument("--check", action="store_true", help="try everything over HTTP, print a line of JSON, end")
        parser.add_argument("--repeat", type=int, default=0, metavar="N", help="with --check: place N further orders")

    def handle(self, *, host: str, port: int | None, fresh: bool, check: bool, repeat: int, **options: Any) -> None:
        _refuse_foreign_services()
        if not settings.DEMO:
            message = "The settings know the demo by the first argument: manage.py demo, then its options."
            raise CommandError(message)
        # Ctrl-C and `kill` are ways to end it, not errors, from the first moment on.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            if check:
                self._check(host, port or 0, repeat)
            else:
                self._open(host, DEFAULT_PORT if port is None else port, fresh=fresh)
        except server.CannotOpen as e:
            raise CommandError(str(e)) from e
        except KeyboardInterrupt:
            if check:
                raise SystemExit(1) from None

    def _check(self, host: str, port: int, repeat: int) -> None:
        report = check.run(host=host, port=port, repeat=max(repeat, 0))
        self.stdout.write(json.dumps(report))
        if not report["ok"]:
            raise SystemExit(1)

    def _open(self, host: str, port: int, *, fresh: bool) -> None:
        with server.take(settings.DEMO_DIR) as taken, server.listen(host, port) as listener:
            address = server.address_of(listener)
            # For whoever wants the same folder.
            taken.truncate(0)
            print(address, file=taken, end="", flush=True)
            if fresh:
                _empty(settings.DEMO_DIR, database=Path(settings.DATABASES["default"]["NAME"]))
            _adopt_address(host, address)
            call_command("migrate", verbosity=0, interactive=False)
            seed(now=clock.now())
            self._welcome(address)
            server.serve(listener)

    def _welcome(self, address: str) -> None:
        bold = self.style.MIGRATE_HEADING
        people = "\n".join(f"    {person.username:<9}{person.role}" for person in PEOPLE)
        self.stdout.write(f"""
  {bold(settings.NOTIFICATIONS["SITE_NAME"])} is open. Ctrl-C closes it.

    Shop     {address}/
    Outbox   {address}/outbox/    e-mails and text messages that went out
    Admin    {address}/admin/

  Log in with one click in the shop, or by name; every password is "{PASSWORD}":

{people}

  It is kept in {settings.DEMO_DIR}; --fresh begins anew.
""")
        self.stdout.flush()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _refuse_foreign_services() -> None:
    """Keep the demo, its customers and its well-known passwords out of every real database."""
    harmful = {
        "DATABASE_URL": True,
        "REDIS_URL": True,
        "BROKER_URL": True,
        "SECURE": settings.SECURE,
        "EMBEDDED_WORKER": not settings.EMBEDDED_WORKER,
    }
    names = [name for name, is_harmful in harmful.items() if is_harmful and os.environ.get(name)]
    if names:
        without = " ".join(f"-u {name}" for name in names)
        raise CommandError(
            f"The demo brings its own services; {', '.join(names)} must not be set: env {without} make demo"
        )


def _empty(folder: Path, *, database: Path) -> None:
    """Remove what a former demo left; nothing else that may be in the folder."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
    shutil.rmtree(folder / "mail", ignore_errors=True)
    (folder / "sms.jsonl").unlink(missing_ok=True)


def _adopt_address(host: str, address: str) -> None:
    """Answer at this address and lead there from messages, unless the environment names others."""
    if "ALLOWED_HOSTS" not in os.environ:
        settings.ALLOWED_HOSTS.extend([host, address.removeprefix("http://").rpartition(":")[0]])
    if "BASE_URL" not in os.environ:
        settings.NOTIFICATIONS = settings.NOTIFICATIONS | {"BASE_URL": address}
        setting_changed.send(Command, setting="NOTIFICATIONS", value=settings.NOTIFICATIONS, enter=True)
