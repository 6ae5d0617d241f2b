"""What should have been published, compared with what was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from notifications.pipeline.drafting import object_named
from notifications.pipeline.recipients import key_of
from notifications.pipeline.wording import contract
from notifications.testing.published import published_so_far

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from notifications.testing.published import Published

#: Recipients a message names; of the rest, the number.
SHOWN = 5


def assert_published(
    template: str,
    *,
    recipient: Any = None,
    audience: str = "",
    about: Model | str | None = None,
    variables: dict[str, Any] | None = None,
    times: int = 1,
    among: Iterable[Published] | None = None,
) -> list[Published]:
    """
    Return what was published like that; fail, showing all that was published, if it is not so many `times`.

    `recipient`: a user or a primary key, who may be one of many. `variables`: these, whatever others there are.
    `among`: what `captured_events` gave; None: everything in the database. A template there is not is an error, so that
    a slip of the pen does not pass as `times=0`.
    """
    __tracebackhide__ = True
    wanted = _Wanted(
        template=contract(template).code,
        recipients=() if recipient is None else (key_of(recipient),),
        audience=audience,
        about="" if about is None else object_named(about),
        variables=variables or {},
    )
    everything = published_so_far() if among is None else list(among)
    found = [published for published in everything if wanted.fits(published)]
    if len(found) != times:
        shown: list[Published | _Wanted] = [wanted, *everything]
        names = _names({key for said in shown for key in said.recipients[:SHOWN]})
        told = "".join(f"\n  {_line(published, names)}" for published in everything)
        listed = f"Published was:{told}" if told else "Nothing was published."
        message = f"Published {len(found)} times, not {times}: {_line(wanted, names)}\n{listed}"
        raise AssertionError(message)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is looked for; empty: whatever there is."""

    template: str
    #: At most one.
    recipients: tuple[str, ...]
    audience: str
    about: str
    variables: dict[str, Any]

    def fits(self, published: Published) -> bool:
        return (
            published.template == self.template
            and set(self.recipients) <= set(published.recipients)
            and self.audience in {"", published.audience}
            and self.about in {"", published.about}
            and self.variables.items() <= published.variables.items()
        )


def _names(keys: set[str]) -> dict[str, str]:
    users = get_user_model()._default_manager.filter(pk__in=keys)
    return {str(user.pk): str(user) for user in users}


def _line(said: Published | _Wanted, names: dict[str, str]) -> str:
    people = [f"the audience {said.audience!r}"] if said.audience else []
    people += [names.get(key, f"user {key}") for key in said.recipients[:SHOWN]]
    if len(said.recipients) > SHOWN:
        people.append(f"{len(said.recipients) - SHOWN} more")
    parts = [
        said.template,
        f"to {', '.join(people)}" if people else "",
        f"about {said.about}" if said.about else "",
        f"with {said.variables!r}" if said.variables else "",
    ]
    return " ".join(part for part in parts if part)
