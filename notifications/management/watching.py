"""Show something again and again, until Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from notifications import clock
from notifications.management import options

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.core.management.base import CommandParser, OutputWrapper

#: Seconds between two looks.
SECONDS = 2.0
#: To the top left, and clear what is below.
CLEAR = "\x1b[H\x1b[J"


def add_option(parser: CommandParser) -> None:
    """Add `--watch [SECONDS]`."""
    parser.add_argument(
        "--watch",
        nargs="?",
        type=options.seconds,
        const=SECONDS,
        metavar="SECONDS",
        help=f"show it again and again, every {SECONDS:g} seconds or as given, until Ctrl-C",
    )


def watch(show: Callable[[datetime], bool], seconds: float | None, out: OutputWrapper, *, redraw: bool) -> None:
    """Show it once, or every so many seconds for as long as `show` returns True. On a terminal it is drawn anew."""
    try:
        while True:
            if redraw and seconds is not None and out.isatty():
                out.write(CLEAR, ending="")
            goes_on = show(clock.now())
            if seconds is None or not goes_on:
                return
            out.flush()
            time.sleep(seconds)
    except KeyboardInterrupt:
        # The way to end it, not an error.
        return
