"""RabbitMQ as a process of ours, with an epmd of its own: started, stopped, killed, started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Server, ServiceError, end_process
from tests.services import _scratch_folder

# Debian's program on PATH wants to be root or `rabbitmq`, and works in /var; the one below is RabbitMQ's own.
PROGRAMS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
HINT = "No RabbitMQ found: apt-get install --no-install-recommends rabbitmq-server"


class RabbitServer(Server):
    """RabbitMQ on loopback, without plugins; durable queues and their messages outlive a stop."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._port, self._node_port, self._epmd_port = _free_ports(3)
        self._epmd_program = shutil.which("epmd")
        self._epmd: subprocess.Popen[bytes] | None = None
        super().__init__(program, folder, url=f"amqp://guest:guest@127.0.0.1:{self._port}/%2F")

    def start(self) -> None:
        """Start, if stopped, and return when the server answers."""
        if not self._epmd:
            self._start_epmd()
        super().start()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop, if running, and return when the server has gone, and the epmd with it."""
        super().stop(how)
        if self._epmd:
            end_process(self._epmd, signal.SIGTERM)
            self._epmd = None
            (self.folder / "epmd.pid").unlink(missing_ok=True)

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop and start again, at the same URL, with the messages that wait."""
        super().restart(how)

    def _command(self) -> list[str]:
        within = {
            "HOME": "",  # of the cookie
            "RABBITMQ_MNESIA_BASE": "mnesia",
            "RABBITMQ_LOG_BASE": "log",
            "RABBITMQ_CONF_ENV_FILE": "rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": "rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": "advanced.config",
            "RABBITMQ_GENERATED_CONFIG_DIR": "config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "enabled_plugins",
            "RABBITMQ_PLUGINS_EXPAND_DIR": "plugins",
            "RABBITMQ_PID_FILE": "erlang-pid",  # without a newline: nothing for the guard
        }
        variables = {
            **{name: str(self.folder / file) for name, file in within.items()},
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"test-{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_SERVER_START_ARGS": "+B i",  # no menu at SIGINT
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server, so that our pid is the server's
        }
        return ["env", *(f"{name}={value}" for name, value in variables.items()), str(self.program)]

    def _answers(self, pid: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1.0) as client:
                client.sendall(b"AMQP\x00\x00\x09\x01")
                return client.recv(1) == b"\x01"  # Connection.Start (AMQP 0-9-1 §2.2.4)
        except OSError:
            return False

    def _start_epmd(self) -> None:
        if not self._epmd_program:
            raise ServiceError(f"No epmd, Erlang's, found for {self.program}")
        command = [self._epmd_program, "-port", str(self._epmd_port), "-address", "127.0.0.1"]
        quiet = subprocess.DEVNULL
        self._epmd = subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, cwd=self.folder, start_new_session=True
        )
        (self.folder / "epmd.pid").write_text(f"{self._epmd.pid}\n")  # read by the guard of tests.services


@contextmanager
def running_rabbitmq(program: Path) -> Iterator[RabbitServer]:
    """Run a RabbitMQ of one's own."""
    with _scratch_folder() as folder:
        server = RabbitServer(program, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def find_rabbitmq() -> Path:
    """Return `rabbitmq-server`: Debian's, without its wrapper, else the one on PATH; raise `ServiceError` without any."""
    for program in filter(None, map(shutil.which, PROGRAMS)):
        return Path(program).resolve()
    raise ServiceError(HINT)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
