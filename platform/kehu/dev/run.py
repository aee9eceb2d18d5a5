"""`make run`: database, migrations, demo firm, mail catcher, worker and web in one terminal, until Ctrl-C."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import IO

import psycopg

from kehu.dev import roles, settings
from kehu.dev.embedded import Cluster, EmbeddedError
from kehu.dev.processes import Child, stop_all
from kehu.dev.stamps import Stamps, hash_files
from kehu.dev.system_user import SystemUserError

DATABASE = "kehu"
READY_SECONDS = 60
STOP_SECONDS = 25
NEEDED_MB = 200
COMMAND = "import sys; sys.argv[0] = 'kehu'; from kehu.cli.main import main; sys.exit(main())"
DEMO = "import json; from kehu.dev.demo import ensure_demo; print(json.dumps(ensure_demo()))"


class RunError(RuntimeError):
    """The start cannot go on; the message says what to do."""


class Supervisor:
    """Starts the parts in order, watches them, stops them in reverse."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.var = settings.var_folder()
        self.stamps = Stamps(self.var / "run.json")
        self.cluster: Cluster | None = None
        self.children: list[Child] = []
        self.environment: dict[str, str] = {}
        self.stopping = False
        self._lock: IO[str] | None = None

    def run(self) -> int:
        """Run until asked to stop; return the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            self.start()
            self.watch()
        except KeyboardInterrupt:
            say("")
        except (RunError, EmbeddedError, SystemUserError, roles.RolesError, settings.PortError) as error:
            say(f"kehu: {error}")
            return 1
        finally:
            self.stopping = True
            self.stop()
        return 0

    def start(self) -> None:
        """Start everything and say where it is."""
        self._take_lock()
        self._check_space()
        port = settings.web_port()
        urls = self._database()
        mail_port = settings.free_port()
        self.environment = settings.child_environment(urls, self.var, port, mail_port)
        identity = self._migrate(urls)
        logins = self._demo(identity, urls.owner)
        self._start_web(port, mail_port)
        self._wait_ready(port)
        self._start_worker()
        self._announce(port, logins)

    def watch(self) -> None:
        """Keep the parts alive until somebody asks to stop."""
        pause = 1.0
        while True:
            time.sleep(0.5)
            if self.cluster and not self.cluster.running():
                say("PostgreSQL ended; starting it again.")
                try:
                    self.cluster.ensure()
                    pause = 1.0
                except EmbeddedError as error:
                    say(f"{error}\nTrying again in {pause:.0f} s.")
                    time.sleep(pause)
                    pause = min(pause * 2, 30.0)
            for child in self.children:
                news = child.watch()
                if news:
                    say(news)

    def stop(self) -> None:
        """Stop what runs: web and worker first, the database last."""
        if any(child.alive for child in self.children):
            say("Stopping …")
        stop_all(self.children, STOP_SECONDS)
        if self.cluster:
            self.cluster.stop()
        if self._lock:
            self._lock.close()

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        if not self.stopping:
            raise KeyboardInterrupt

    def _take_lock(self) -> None:
        try:
            self.var.mkdir(parents=True, exist_ok=True)
            file = (self.var / "run.lock").open("a+")
        except OSError as error:
            raise RunError(
                f"{self.var} can't be written ({error.strerror}); name another folder in KEHU_VAR."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            who = file.read().strip() or "another process"
            file.close()
            raise RunError(
                f"Kehu already runs on {self.var} ({who}). Stop it with Ctrl-C where it was started, "
                "or run a second one beside it: make run KEHU_VAR=var2 KEHU_PORT=8001"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}")
        file.flush()
        self._lock = file

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.var).free // 1_000_000
        if free < NEEDED_MB:
            raise RunError(
                f"The disk of {self.var} has {free} MB left, {NEEDED_MB} MB are needed. Make room first."
            )

    def _database(self) -> roles.DatabaseUrls:
        given = os.environ.get("KEHU_DATABASE_URL")
        if not given:
            self.cluster = Cluster(self.var / "pg")
            if not (self.cluster.data / "PG_VERSION").exists():
                say("Making the database in " + str(self.cluster.home))
            self.cluster.ensure()
            for note in self.cluster.notes:
                say(note)
            return roles.ensure(self.cluster.url(), DATABASE)
        app, cross = os.environ.get("KEHU_APP_DATABASE_URL"), os.environ.get("KEHU_CROSS_DATABASE_URL")
        if app and cross:
            urls = roles.DatabaseUrls(owner=given, app=app, cross=cross)
        else:
            made = roles.ensure(given, roles.database_name(given), self.var / "roles.json")
            urls = roles.DatabaseUrls(owner=made.owner, app=app or made.app, cross=cross or made.cross)
        roles.check_logins(urls)
        return urls

    def _migrate(self, urls: roles.DatabaseUrls) -> str:
        root = settings.root()
        files = [*root.glob("migrations/**/*.py"), *root.glob("plugins_builtin/*/migrations/**/*.py")]
        files += settings.plugin_migrations()
        code = hash_files(files)
        identity, applied = database_state(urls.owner)
        if applied and self.stamps.fresh("migrations", f"{identity} {applied} {code}"):
            return identity
        self._command("Migrating the database", COMMAND, "db", "upgrade")
        identity, applied = database_state(urls.owner)
        self.stamps.record("migrations", f"{identity} {applied} {code}")
        return identity

    def _demo(self, identity: str, owner_url: str) -> list[dict[str, str]]:
        file = self.var / "demo-logins.json"
        if not self.stamps.fresh("demo", identity) or not file.exists():
            printed = self._command("Filling the demo firm", DEMO)
            file.write_text(printed.strip().splitlines()[-1])
            with psycopg.connect(owner_url, autocommit=True) as connection:
                # Without it the planner knows nothing of the new rows until autovacuum comes by.
                connection.execute("ANALYZE")
            self.stamps.record("demo", identity)
        loaded: list[dict[str, str]] = json.loads(file.read_text())
        return loaded

    def _command(self, doing: str, code: str, *arguments: str) -> str:
        say(f"{doing} …")
        command = [sys.executable, "-c", code, *arguments]
        # In a session of its own: Ctrl-C ends it through the exception below, not half-way by itself.
        process = subprocess.Popen(
            command,
            cwd=settings.root(),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            tail = "\n".join((output + errors).strip().splitlines()[-15:])
            raise RunError(f"'{doing}' failed; run make run again once the cause is mended:\n{tail}")
        return output

    def _start_web(self, port: int, mail_port: int) -> None:
        gunicorn = [
            "-m",
            "gunicorn",
            "--config",
            "python:kehu.gunicorn_conf",
            "--chdir",
            str(settings.root()),
        ]
        binds = [part for address in settings.bind_addresses(port) for part in ("--bind", address)]
        self._start_child("web", *gunicorn, *binds, "wsgi:app")
        if "KEHU_MAIL_URL" not in os.environ:
            options = ["--port", str(mail_port), "--folder", str(self.var / "mail")]
            self._start_child("mail", "-m", "kehu.dev.mailcatcher", *options)

    def _start_worker(self) -> None:
        # After the web: people wait for that one, and both at once would share the processor.
        self._start_child("worker", "-c", COMMAND, "worker")

    def _start_child(self, name: str, *arguments: str) -> None:
        log = self.var / "log" / f"{name}.log"
        child = Child(name, [sys.executable, *arguments], self.environment, log)
        child.start()
        self.children.append(child)

    def _wait_ready(self, port: int) -> None:
        web = self.children[0]
        until = time.monotonic() + READY_SECONDS
        answer = "no answer"
        while time.monotonic() < until:
            if not web.alive:
                raise RunError(
                    f"The web server ended ({web.ending}); the end of {web.log}:\n{web.log_tail()}"
                )
            status, answer = ask_ready(port)
            if status == http.client.OK:
                return
            time.sleep(0.1)
        raise RunError(
            f"The web server was not ready after {READY_SECONDS} s ({answer}); the end of {web.log}:\n{web.log_tail()}"
        )

    def _announce(self, port: int, logins: list[dict[str, str]]) -> None:
        say(f"\nKehu runs at http://localhost:{port}  (ready after {time.monotonic() - self.begun:.1f} s)\n")
        for login in logins:
            line = f"{login['email']}  password {login['password']}"
            say(f"  {login['label']:<18}{line}")
        if any(child.name == "mail" for child in self.children):
            say(f"  {'Mails it sends':<18}http://localhost:{port}/dev/mail")
        if self.environment["KEHU_BILLING_MODE"] == "demo":
            say(f"  {'Billing':<18}demo: no money moves (KEHU_BILLING_MODE=off takes it away)")
        say(f"  {'Logs':<18}{self.var / 'log'}")
        say(f"  {'Commands':<18}. {self._write_environment()}; then kehu …, as kehu plugin doctor")
        say("\nCtrl-C stops it; the data stays.")

    def _write_environment(self) -> Path:
        """Write the settings of this installation for a shell, so that commands find its database."""
        file = self.var / "kehu.env"
        ours = {key: value for key, value in self.environment.items() if key.startswith("KEHU_")}
        file.touch(mode=0o600)
        file.write_text(
            "".join(f"export {key}={shlex.quote(value)}\n" for key, value in sorted(ours.items()))
        )
        return file


def database_state(url: str) -> tuple[str, str]:
    """Return what tells this database from others, and the migrations it has."""
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid, to_regclass('alembic_version')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        identity, table = row or ("", None)
        if table is None:
            return str(identity), ""
        versions = connection.execute(
            "SELECT version_num FROM alembic_version ORDER BY version_num"
        ).fetchall()
        return str(identity), ",".join(version for (version,) in versions)


def ask_ready(port: int) -> tuple[int, str]:
    """Return status and body of `/readyz`; 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"localhost:{port}"})
        response = connection.getresponse()
        return response.status, response.read(2000).decode(errors="replace")
    except OSError as error:
        return 0, str(error)
    finally:
        connection.close()


def say(text: str) -> None:
    """Tell people; the terminal may be gone already."""
    try:
        print(text, flush=True)
    except OSError:
        return


def main() -> None:
    """Run the supervisor."""
    os.chdir(Path(settings.root()))
    sys.exit(Supervisor().run())


if __name__ == "__main__":
    main()
