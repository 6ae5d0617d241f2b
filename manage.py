#!/usr/bin/env python
"""Django's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DRAMATIQ_NTHREADS", "10")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as e:
        message = "Django is not installed here. Run `make demo` once, then use .venv/bin/python manage.py …"
        raise SystemExit(message) from e
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
