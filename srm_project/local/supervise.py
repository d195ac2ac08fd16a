"""`make run`: start everything, keep it running, stop it in order."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from srm_project.local import secrets
from srm_project.local.accounts import OURSELVES, Account
from srm_project.local.failures import CommandFailed, StartFailed
from srm_project.local.instance import (
    Running,
    announce,
    base_environment,
    database_environment,
    database_given,
)
from srm_project.local.management import manage
from srm_project.local.open_demo import is_yes, require_consent
from srm_project.local.paths import PROJECT, State
from srm_project.local.ports import (
    FIRST,
    LOOPBACK,
    PortTaken,
    listen,
    listen_somewhere,
    web_host,
)
from srm_project.local.postgres import Postgres
from srm_project.local.processes import Child
from srm_project.local.programs_account import (
    StaysRoot,
    environment_of_programs,
    programs_account,
)
from srm_project.local.progress import Progress
from srm_project.local.valkey import Valkey
from srm_project.local.worker import WORKER

ANSWERS_WITHIN = 90.0
WEB_WORKERS, WEB_THREADS = 2, 20


class StopRequested(Exception):
    """Ctrl-C or SIGTERM came."""


def say(text: str) -> None:
    """One line on the terminal, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass
class Supervisor:
    """Everything one installation runs on this machine."""

    here: State
    env: dict[str, str] = field(default_factory=dict)
    children: list[Child] = field(default_factory=list)
    listener: socket.socket | None = None
    progress: Progress = field(default_factory=lambda: Progress(say))
    migrations: int = 0
    first_steps: list[str] = field(default_factory=list)
    account: Account = OURSELVES

    def run(self) -> None:
        """Start, say the address, and watch until somebody asks to stop."""
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, _stop)
        try:
            self._start()
            while True:
                self._watch(time.monotonic())
                time.sleep(0.2)
        except StopRequested:
            say("\nStopping.")
        finally:
            self._stop_all()

    def _start(self) -> None:
        self.here.running.unlink(missing_ok=True)
        self.env = dict(os.environ) | base_environment(self.here)
        self.env.setdefault("PYTHONUNBUFFERED", "1")
        if not database_given():
            self.env.setdefault("DEMO", "yes")
        if self._is_demo() or self.here.demo_accounts.exists():
            require_consent(web_host(), self.env)
        self.progress.total = 5 if self._loads_demo() else 4
        self.listener = open_listener()
        url = f"http://localhost:{self.listener.getsockname()[1]}"
        self.env.setdefault("SITE_URL", url)
        self._start_servers()
        self._prepare_database()
        self.progress.step("Starting web, worker and beat.")
        self._choose_account()
        self._start_programs()
        self._wait_for_page()
        self.progress.end()
        shared = (
            "DATABASE_URL",
            "DATABASE_OWNER_URL",
            "BROKER_URL",
            "SITE_URL",
            "DEMO",
        )
        known = {name: self.env[name] for name in shared if name in self.env}
        env = base_environment(self.here) | known
        announce(self.here, Running(os.getpid(), url, env))
        self._greet(url)

    def _start_servers(self) -> None:
        kept = secrets.load(self.here.secrets)
        self.progress.step("Starting database and broker.")
        if not database_given():
            postgres = Postgres(self.here, kept)
            try:
                postgres.start(say)
            finally:
                self._watch_over(postgres.child)
            self.env |= database_environment(postgres)
        if not (self.env.get("BROKER_URL") or self.env.get("BROKER_URL_FILE")):
            valkey = Valkey(self.here, kept)
            try:
                valkey.start()
            finally:
                self._watch_over(valkey.child)
            self.env["BROKER_URL"] = valkey.url

    def _watch_over(self, child: Child | None) -> None:
        if child is not None:
            self.children.append(child)

    def _prepare_database(self) -> None:
        self.progress.step("Bringing the tables up to date.")
        self._manage("migrate", "--noinput", show=self._count_migrations)
        self.progress.step("Loading catalogs, baselines and services.")
        self._manage("load_reference", show=self.progress.detail)
        self._load_demo()
        self._manage("create_officer", "--check", show=self.first_steps.append)

    def _count_migrations(self, line: str) -> None:
        if line.lstrip().startswith("Applying "):
            self.migrations += 1
            if self.migrations % 20 == 0:
                self.progress.detail(f"{self.migrations} migrations applied")

    def _is_demo(self) -> bool:
        return is_yes(self.env.get("DEMO", ""))

    def _loads_demo(self) -> bool:
        return self._is_demo() and not self.here.demo_loaded.exists()

    def _load_demo(self) -> None:
        """Load it once; without it there is still a page to start from."""
        if not self._loads_demo():
            return
        self.progress.step("Loading the demo company (only the first time).")
        try:
            self._manage("load_demo", show=self.progress.detail)
        except CommandFailed as failed:
            say(f"Going on without the demo company: {failed}")
        else:
            self.here.demo_loaded.touch()

    def _manage(self, *command: str, show: Callable[[str], None]) -> None:
        manage(self.here, self.env, *command, show=show)

    def _choose_account(self) -> None:
        """As root: whom the programs run as, and what they need for it."""
        try:
            self.account = programs_account(self.here, self.env)
        except StaysRoot as reason:
            say(f"Web, worker and beat run as root: {reason}")

    def _start_programs(self) -> None:
        for child in (self._web(), self._worker(), self._beat()):
            child.start()
            self.children.append(child)

    def _web(self) -> Child:
        assert self.listener is not None
        fd = self.listener.fileno()
        command = f"-m gunicorn srm_project.wsgi:application --bind fd://{fd}"
        command += f" --workers {WEB_WORKERS} --threads {WEB_THREADS}"
        command += " --worker-class gthread --graceful-timeout 10 --timeout 120"
        command += " --no-control-socket --access-logfile - --max-requests 20000"
        command += " --max-requests-jitter 2000 --limit-request-line 8190"
        return self._program("web", command, {"SRM_PROCESS": "web"}, (fd,))

    def _worker(self) -> Child:
        return self._program("worker", WORKER, {"SRM_PROCESS": "worker"})

    def _beat(self) -> Child:
        command = "-m celery -A srm_project beat --loglevel WARNING --pidfile="
        child = self._program("beat", command, {"SRM_PROCESS": "beat"})
        child.command = [*child.command, "-s", self.here.beat / "schedule"]
        return child

    def _program(
        self, name: str, command: str, env: dict[str, str], fds: tuple[int, ...] = ()
    ) -> Child:
        return Child(
            name=name,
            command=[sys.executable, *command.split()],
            log=self.here.logs / f"{name}.log",
            env=environment_of_programs(self.env, self.account) | env,
            account=self.account,
            cwd=PROJECT,
            pass_fds=fds,
        )

    def _wait_for_page(self) -> None:
        until = time.monotonic() + ANSWERS_WITHIN
        while time.monotonic() < until:
            self._watch(time.monotonic())
            if self._answers():
                return
            time.sleep(0.2)
        web = next(child for child in self.children if child.name == "web")
        raise StartFailed(
            f"The web server gives no page ({web.log}):\n{web.last_words()}"
        )

    def _answers(self) -> bool:
        assert self.listener is not None
        port = self.listener.getsockname()[1]
        web = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
        try:
            web.request("GET", "/livez", headers={"Host": f"localhost:{port}"})
            return web.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            web.close()

    def _greet(self, url: str) -> None:
        say(f"\nSRM is ready: {url}")
        if self.here.demo_accounts.exists():
            say(f"\nDemo accounts:\n{self.here.demo_accounts.read_text().rstrip()}")
        for line in self.first_steps:
            say(f"\nNobody can sign in yet. {line}")
        say(f"\nLogs: {self.here.logs}\nStop with Ctrl-C.")

    def _watch(self, now: float) -> None:
        for child in self.children:
            if child.keep_alive(now):
                say(f"The {child.name} stopped; starting it again ({child.log}).")

    def _stop_all(self) -> None:
        """Programs first and together, then the broker, then the database."""
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)
        self.here.running.unlink(missing_ok=True)
        programs = [c for c in self.children if c.name in {"web", "worker", "beat"}]
        for child in programs:
            child.ask_to_stop()
        for child in [*programs, *reversed(self.children)]:
            child.stop()
        if self.listener is not None:
            self.listener.close()


def open_listener() -> socket.socket:
    """The socket that the web server answers on, opened before everything else."""
    host, port = web_host(), os.environ.get("PORT", "")
    try:
        if port:
            return listen(host, int(port))
        listener = listen_somewhere(host)
    except PortTaken as taken:
        raise StartFailed(f"{taken} Choose another one with PORT=…") from taken
    except ValueError as wrong:
        raise StartFailed(f"PORT={port} is not a number.") from wrong
    chosen = listener.getsockname()[1]
    if chosen != FIRST:
        say(f"Port {FIRST} is in use; using {chosen}.")
    return listener


def _stop(number: int, frame: FrameType | None) -> None:
    raise StopRequested
