"""PostgreSQL servers of a test's own, on free ports, stopped when the tests end. Standard library only."""

import atexit
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

USER = "tcrops"
# Only a machine that loses power loses by these; a server that is killed keeps what it has acknowledged.
QUICK = {"fsync": "off", "full_page_writes": "off"}
SETTINGS = {"shared_buffers": "32MB", "max_connections": "50"}
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def programs():
    """The folder with the newest version's initdb and postgres, or None."""
    def version(folder):
        return [int(number) for number in re.findall(r"\d+", folder.parent.name)]

    found = [folder for folder in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (folder / "postgres").exists()]
    if found:
        return max(found, key=version)
    on_path = shutil.which("postgres")
    return pathlib.Path(on_path).resolve().parent if on_path else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """One server with its files in `folder`, which must not hold another's.

    As root it runs as the user postgres, since PostgreSQL does not run as root. The user of the database is "tcrops":
    without a password anyone on this machine is that user; with one it is asked for.
    """

    def __init__(self, folder, durable=False, password=None, **settings):
        self.folder = pathlib.Path(folder).resolve()
        self.programs = programs()
        if self.programs is None:
            raise RuntimeError("PostgreSQL is not installed")
        self.password = password
        self.settings = {**SETTINGS, **({} if durable else QUICK), **settings}
        self.port = free_port()
        self.process = None
        self.log = self.folder / "server.log"

    def start(self):
        """Starts the server, with new files the first time, and waits until it lets users in."""
        if not (self.folder / "data").exists():
            self.initialise()
        settings = {**self.settings, "listen_addresses": "127.0.0.1", "port": self.port,
                    "unix_socket_directories": self.folder}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            # A child of our own and not pg_ctl's, so that nothing of it is left once we have waited for it.
            self.process = subprocess.Popen(self.command("postgres", "-D", self.folder / "data", *words),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        atexit.register(self.kill)
        self.wait_until_ready()
        return self

    def stop(self, mode="fast"):
        """Ends the server: "fast" breaks connections, "immediate" recovers at the next start, "smart" waits for all."""
        if self.process is not None:
            self.process.send_signal(SIGNALS[mode])
            self.process.wait(timeout=120)
            self.process = None

    def kill(self):
        """SIGKILL for all processes of the server."""
        if self.process is None:
            return
        atexit.unregister(self.kill)
        os.kill(self.process.pid, signal.SIGSTOP)  # starts no more of them
        children = self.children()
        for number in [self.process.pid, *children]:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(timeout=120)
        self.process = None
        until = time.monotonic() + 60
        while any(is_running(number) for number in children):
            if time.monotonic() > until:
                raise RuntimeError("processes of PostgreSQL outlive SIGKILL")
            time.sleep(0.01)

    def restart(self, mode="fast"):
        """Stops ("kill": SIGKILL) and starts."""
        if mode == "kill":
            self.kill()
        else:
            self.stop(mode)
        return self.start()

    def url(self, database="postgres", user=USER, password=None):
        """The address of a database, with the server's password unless another is given."""
        password = self.password if password is None else password
        secret = f":{urllib.parse.quote(password, safe='')}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name):
        self.sql(f'create database "{name}"')
        return self.url(name)

    def sql(self, text, database="postgres"):
        """What psql prints for a statement, one row a line, columns by |."""
        return self.run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", text)

    def initialise(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for parent in (self.folder, *self.folder.parents):
            if parent.stat().st_uid == os.geteuid():
                parent.chmod(parent.stat().st_mode | 0o111)  # the server's user must get through
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        words = ["-A", "trust"]
        if self.password:
            secret = self.folder / "password"
            secret.write_text(self.password + "\n", encoding="utf-8")
            secret.chmod(0o644)
            words = ["-A", "scram-sha-256", f"--pwfile={secret}"]
        self.run("initdb", "-D", self.folder / "data", "-U", USER, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", *words)

    def wait_until_ready(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            ready = subprocess.run(self.command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)), check=False)
            if ready.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text(encoding='utf-8', errors='replace')}")

    def children(self):
        task = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in task.read_text().split()]

    def command(self, program, *words):
        who = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        clean = ["env", "-u", "PGDATA", "-u", "PGPORT", "-u", "PGHOST", "-u", "PGUSER", "LC_ALL=C.UTF-8"]
        return [*who, *clean, self.programs / program, *words]

    def run(self, program, *words):
        done = subprocess.run(self.command(program, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=120, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout.rstrip("\n")


def is_running(number):
    """Whether a process is there and more than a name that nobody has asked after."""
    try:
        state = pathlib.Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
