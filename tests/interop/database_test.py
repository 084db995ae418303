"""The module db against a real PostgreSQL, which the test starts itself, through restarts, crashes and refusals.

Usage: database_test.py DB_TESTS DATABASE_PROBE
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import postgres  # noqa: E402
import product  # noqa: E402

DB_TESTS, PROBE = sys.argv[1:3]
CONFIGURATION, TEMPORARY, INTERRUPTED = 3, 75, 130
SECRET = "s3cr:t/@?& %é"
LIMIT = 120


def run_probe(url, *words, patience=0, **environment):
    return subprocess.run([PROBE, url, str(patience), *map(str, words)], capture_output=True, text=True, timeout=LIMIT,
                          check=False, env={**clean(), **environment})


def clean():
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


class Adder:
    """A probe that adds, and the additions that it was told are kept."""

    def __init__(self, url, name, times, patience):
        self.process = subprocess.Popen([PROBE, url, str(patience), "add", name, str(times)], text=True, env=clean(),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.kept = 0
        self.words = ""
        self.readers = [threading.Thread(target=reader, daemon=True) for reader in (self.count, self.listen)]
        for reader in self.readers:
            reader.start()

    def count(self):
        for _ in self.process.stdout:
            self.kept += 1

    def listen(self):
        for line in self.process.stderr:
            self.words += line

    def wait_for(self, more):
        """Waits until `more` additions have been kept from now on."""
        goal, until = self.kept + more, time.monotonic() + LIMIT
        while self.kept < goal:
            if time.monotonic() > until or self.process.poll() is not None:
                raise AssertionError(f"{self.kept} kept, {goal} awaited: {self.words}")
            time.sleep(0.002)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.end()

    def end(self):
        status = self.process.wait(timeout=LIMIT)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


class PostgresCase(unittest.TestCase):
    maxDiff = None
    password = None

    @classmethod
    def setUpClass(cls):
        if postgres.programs() is None:
            product.skip("PostgreSQL is not installed")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="tcrops-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.server = postgres.Postgres(cls.folder / "server", password=cls.password).start()
        cls.addClassCleanup(cls.server.kill)

    def fails(self, code, done, *parts):
        self.assertEqual(done.returncode, code, done.stderr)
        errors = [line for line in done.stderr.splitlines() if not line.startswith("waiting: ")]
        self.assertEqual(len(errors), 1, done.stderr)
        self.assertTrue(errors[0].startswith("error: postgresql://"), done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        return done

    def shows(self, url):
        done = run_probe(url, "show")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [int(line) for line in done.stdout.split()]


class Units(PostgresCase):
    def test_unit_tests(self):
        url = self.server.create_database("units")
        done = subprocess.run([DB_TESTS], env={**clean(), "TCROPS_TEST_POSTGRES": url}, capture_output=True, text=True,
                              check=False, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("All tests passed", done.stdout)
        self.assertIn("item", self.server.sql("select tablename from pg_tables where schemaname = 'public'", "units"))

    def test_texts_are_utf8_whatever_the_environment_says(self):
        url = self.server.create_database("encoding")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.assertEqual(run_probe(url, "add", "é", 1, PGCLIENTENCODING="LATIN1").returncode, 0)
        self.assertEqual(self.server.sql("select name, length(name) from mark", "encoding"), "é|1")

    def test_other_types_have_to_be_cast(self):
        url = self.server.create_database("types")
        self.server.sql("create table total (sum numeric); insert into total values (1)", "types")
        self.fails(1, run_probe(url, "show"), "column sum", "cast it")

    def test_rights(self):
        url = self.server.create_database("rights")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.server.sql("create user guest")
        self.fails(CONFIGURATION, run_probe(self.server.url("rights", user="guest"), "show"), "permission denied")

    def test_a_full_server(self):
        url = self.server.create_database("full")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.server.sql("""create function fill() returns trigger language plpgsql as
                           $$ begin raise exception 'no space' using errcode = 'disk_full'; end $$;
                           create trigger fill before update on total for each row execute function fill()""", "full")
        self.fails(TEMPORARY, run_probe(url, "add", "a", 1, patience=60), "no space", "free some space")

    def test_a_deadlock_begins_again(self):
        url = self.server.create_database("deadlock")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.server.sql("""create sequence tries;
                           create function fail() returns trigger language plpgsql as
                           $$ begin if nextval('tries') < 4 then raise exception 'x' using errcode = '40P01'; end if;
                           return new; end $$;
                           create trigger fail before update on total for each row execute function fail()""", "deadlock")
        done = run_probe(url, "add", "a", 1)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.shows(url), [1, 1])
        self.assertEqual(self.server.sql("select last_value from tries", "deadlock"), "4")

    def test_what_the_server_remarks_is_not_for_stderr(self):
        url = self.server.create_database("remarks")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.server.sql("""create function remark() returns trigger language plpgsql as
                           $$ begin raise warning 'look here'; return new; end $$;
                           create trigger remark before update on total for each row execute function remark()""",
                        "remarks")
        done = run_probe(url, "add", "a", 1)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Restarts(PostgresCase):
    def adder(self, url, name, times, patience=60):
        adder = Adder(url, name, times, patience)
        self.addCleanup(adder.stop)
        return adder

    def interrupted_by(self, name, mode):
        url = self.server.create_database(name)
        self.assertEqual(run_probe(url, "create").returncode, 0)
        adders = [self.adder(url, str(i), 400) for i in range(4)]
        for _ in range(3):
            adders[0].wait_for(20)
            self.server.restart(mode)
        self.assertEqual([adder.end() for adder in adders], [0] * 4, [adder.words for adder in adders])
        self.assertEqual([adder.kept for adder in adders], [400] * 4)
        self.assertEqual(self.shows(url), [1600, 1600])

    def test_fast(self):
        self.interrupted_by("fast", "fast")

    def test_immediate(self):
        self.interrupted_by("immediate", "immediate")

    def test_killed(self):
        self.interrupted_by("killed", "kill")

    def test_connections_that_the_server_ends(self):
        url = self.server.create_database("ended")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        adders = [self.adder(url, str(i), 600) for i in range(3)]
        for _ in range(5):
            adders[0].wait_for(10)
            self.server.sql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'ended'")
        self.assertEqual([adder.end() for adder in adders], [0] * 3, [adder.words for adder in adders])
        self.assertEqual(self.shows(url), [1800, 1800])

    def test_without_patience_what_was_kept_stays(self):
        url = self.server.create_database("hasty")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        adder = self.adder(url, "a", 1_000_000, patience=0)
        adder.wait_for(20)
        self.server.stop()
        self.assertEqual(adder.end(), TEMPORARY, adder.words)
        self.assertNotIn("waiting", adder.words)
        self.server.start()
        total, marks = self.shows(url)
        self.assertEqual(total, marks)
        self.assertIn(total - adder.kept, (0, 1))  # one may have been kept and not been told

    def test_patience_ends(self):
        url = self.server.create_database("patient")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.server.stop()
        try:
            began = time.monotonic()
            done = self.fails(TEMPORARY, run_probe(url, "show", patience=1.5), "again when the database is there")
            self.assertGreaterEqual(time.monotonic() - began, 1.5)
            self.assertLess(time.monotonic() - began, 30)
            self.assertRegex(done.stderr, "waiting: postgresql://.*refused")
            began = time.monotonic()
            self.assertNotIn("waiting", self.fails(TEMPORARY, run_probe(url, "show")).stderr)
            self.assertLess(time.monotonic() - began, 10)
            waiter = subprocess.Popen([PROBE, url, "60", "show"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      text=True, env=clean())
            self.assertTrue(waiter.stderr.readline().startswith("waiting: "))
            waiter.send_signal(signal.SIGINT)
            self.assertIn("interrupted", waiter.communicate(timeout=LIMIT)[1])
            self.assertEqual(waiter.returncode, INTERRUPTED)
        finally:
            self.server.start()
        self.assertEqual(self.shows(url), [0, 0])


class Refusals(PostgresCase):
    password = SECRET

    def refused(self, code, url, *parts, **options):
        """Refused at once, whatever the patience, and without the password in any spelling."""
        done = self.fails(code, run_probe(url, "show", **options), *parts)
        for spelling in (SECRET, "s3cr", "wr0ng"):
            self.assertNotIn(spelling, done.stderr)
        return done

    def test_the_right_password(self):
        url = self.server.create_database("right")
        self.assertEqual(run_probe(url, "create").returncode, 0)
        self.assertEqual(self.shows(url), [0, 0])
        bare = f"postgresql://tcrops@127.0.0.1:{self.server.port}/right"
        self.assertEqual(run_probe(bare, "show", PGPASSWORD=SECRET).returncode, 0)

    def test_passwords(self):
        began = time.monotonic()
        self.refused(CONFIGURATION, self.server.url(password="wr0ng"), "password authentication failed", patience=60)
        self.refused(CONFIGURATION, self.server.url(user="nobody"), "nobody", patience=60)
        bare = f"postgresql://tcrops@127.0.0.1:{self.server.port}/postgres"
        self.refused(CONFIGURATION, bare, "no password supplied", "PGPASSWORD", patience=60)
        self.assertLess(time.monotonic() - began, 30)

    def test_a_database_that_is_not_there(self):
        self.refused(CONFIGURATION, self.server.url("nothing"), '"nothing" does not exist', patience=60)

    def test_settings_of_the_address(self):
        for setting in ("sslmode=wr0ng", "nonsense=1"):
            self.refused(CONFIGURATION, self.server.url() + "?" + setting.replace("wr0ng", "odd"), patience=60)

    def test_a_password_that_the_library_repeats(self):
        url = f"postgresql://127.0.0.1:{self.server.port}/postgres?user=s3cr&password=s3cr"
        done = self.fails(CONFIGURATION, run_probe(url, "show"))
        self.assertIn('user "***"', done.stderr)

    def test_no_address(self):
        done = run_probe(f"postgresql://me:{SECRET}@h/n", "show")
        self.assertEqual(done.returncode, CONFIGURATION, done.stderr)
        self.assertNotIn("s3cr", done.stderr)

    def test_nobody_listens(self):
        port = postgres.free_port()
        self.refused(TEMPORARY, f"postgresql://me:wr0ng@127.0.0.1:{port}/n", "refused")
        self.refused(TEMPORARY, "postgresql://me:wr0ng@nowhere.invalid/n", "nowhere.invalid")

    def test_a_server_that_does_not_answer(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            began = time.monotonic()
            url = f"postgresql://me:wr0ng@127.0.0.1:{silent.getsockname()[1]}/n?connect_timeout=2"
            self.refused(TEMPORARY, url)
            self.assertLess(time.monotonic() - began, 40)


def linked():
    return subprocess.run(["ldd", PROBE], capture_output=True, text=True, check=True).stdout


class Loading(unittest.TestCase):
    def test_no_library_of_a_database_is_loaded_before_it_is_needed(self):
        self.assertIn("libsoci_core", linked())
        for name in ("libpq", "libsqlite3", "libsoci_postgresql", "libsoci_sqlite3"):
            self.assertNotIn(name, linked())

    def test_the_names_of_the_runtime_packages_are_enough(self):
        """A back end is opened by its name with a version; the one without comes with the headers."""
        with tempfile.TemporaryDirectory(prefix="tcrops-test-") as folder:
            done = run_probe(f"sqlite:{folder}/a.db", "create", LD_DEBUG="files")
        self.assertEqual(done.returncode, 0, done.stderr)
        opened = set(re.findall(r"file=\S*?(libsoci_\S+)", done.stderr))
        self.assertEqual([name for name in opened if not re.search(r"\.so\.\d", name)], [])
        self.assertTrue(any(name.startswith("libsoci_sqlite3.so.") for name in opened), opened)
        self.assertNotIn("libpq", done.stderr)

    def test_a_missing_back_end_is_named(self):
        core = re.search(r"libsoci_core\S* => (\S+)", linked()).group(1)
        for kind, url in (("sqlite3", "sqlite:/nowhere/a.db"), ("postgresql", "postgresql://127.0.0.1/n")):
            library = next(pathlib.Path(core).parent.glob(f"libsoci_{kind}.so.*")).resolve()
            hidden = ["sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', library, PROBE, url, "0", "show"]
            done = subprocess.run([*product.namespace(), *hidden], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(f"install the package libsoci-{kind}", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
