from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest

from kehu.dev.embedded import Cluster

pytestmark = pytest.mark.slow


def ask(cluster: Cluster, statement: str) -> object:
    with psycopg.connect(cluster.url()) as connection:
        row = connection.execute(statement).fetchone()
        return row[0] if row else None


def server_pid(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split("\n")[0])


def test_it_starts_keeps_data_and_stops(cluster: Cluster):
    cluster.ensure()
    with psycopg.connect(cluster.url()) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    cluster.stop()
    assert not cluster.running()
    cluster.ensure()
    assert ask(cluster, "SELECT count(*) FROM kept") == 0


def test_it_listens_on_its_socket_alone(cluster: Cluster):
    cluster.ensure()
    assert ask(cluster, "SHOW listen_addresses") == ""
    assert cluster.socket_folder.stat().st_mode & 0o077 == 0


def test_a_second_call_uses_the_running_server(cluster: Cluster):
    cluster.ensure()
    before = server_pid(cluster)
    Cluster(cluster.home).ensure()
    assert server_pid(cluster) == before


def test_it_recovers_from_a_hard_kill(cluster: Cluster):
    cluster.ensure()
    server = psutil.Process(server_pid(cluster))
    os.kill(server.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=5)
    assert not cluster.running()
    cluster.ensure()
    assert ask(cluster, "SELECT 1") == 1


def test_a_stale_lock_with_the_number_of_another_program_does_not_stop_it(cluster: Cluster):
    cluster.ensure()
    lock = (cluster.data / "postmaster.pid").read_text()
    cluster.stop()
    with subprocess.Popen(["sleep", "60"], user=cluster.data.stat().st_uid) as other:
        _, _, rest = lock.partition("\n")
        (cluster.data / "postmaster.pid").write_text(f"{other.pid}\n{rest}")
        assert not cluster.running()
        cluster.ensure()
        assert ask(cluster, "SELECT 1") == 1
        other.kill()


def test_a_first_run_that_broke_off_is_begun_again(cluster: Cluster):
    (cluster.home / "data.new" / "base").mkdir(parents=True)
    cluster.data.mkdir()
    cluster.ensure()
    assert ask(cluster, "SELECT 1") == 1
    assert not (cluster.home / "data.new").exists()


def test_a_long_path_gets_a_short_socket(tmp_path: Path):
    cluster = Cluster(tmp_path / ("x" * 90))
    assert len(str(cluster.socket_folder)) < 90
    assert cluster.socket_folder != Cluster(tmp_path / ("y" * 90)).socket_folder


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a made and stopped server, of which each test takes a copy: making one takes two seconds."""
    cluster = Cluster(tmp_path_factory.mktemp("pg"), durable=False)
    cluster.ensure()
    cluster.stop()
    return cluster.home


@pytest.fixture
def cluster(made_once: Path, tmp_path: Path, request: pytest.FixtureRequest):
    made = Cluster(tmp_path / "pg", durable=False)
    made.home.mkdir()
    if "broke_off" not in request.node.name:
        shutil.copytree(made_once / "data", made.data)
        for path in (made.data, *made.data.rglob("*")):
            shutil.chown(path, made_once.stat().st_uid, made_once.stat().st_gid)
    yield made
    made.stop()
