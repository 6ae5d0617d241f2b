"""What the conformance suite asks of a provider that is spoken to by HTTP."""

from __future__ import annotations

from abc import abstractmethod

from tests.notifications.channels.conformance import Answer, Peer
from tests.providers.server import Answer as Said
from tests.providers.server import Reset, Server


class HttpPeer(Peer):
    """A provider on `Server`, whose answers a subclass words."""

    #: What it says besides.
    answers = frozenset(Answer)

    def __init__(self):
        self.server = Server()
        self.server.otherwise = lambda: self.answer(Answer.ACCEPTED)
        self._adapters: list = []

    @abstractmethod
    def build(self):
        """Return an adapter that talks to the server."""

    @abstractmethod
    def answer(self, answer):
        """Return how this provider says ACCEPTED, REFUSED, GONE, LATER, THROTTLED or UNAUTHORIZED."""

    def adapter(self):
        adapter = self.build()
        self._adapters.append(adapter)
        return adapter

    def script(self, *answers):
        for answer in answers:
            if answer == Answer.DOWN:
                self.server.leave()
            elif answer == Answer.DROPPED:
                self.server.answers.append(Reset())
            elif answer == Answer.GARBAGE:
                self.server.answers.append(Said(200, b'{"sid": '))
            else:
                self.server.answers.append(self.answer(answer))

    @property
    def calls(self):
        return len(self.server.requests)

    @property
    def accepted(self):
        return self.server.taken

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *details):
        for adapter in self._adapters:
            adapter.close()
        self.server.__exit__(*details)
