"""Workers of one study, and the database between them: who begins, what is away, wrong or refused, and signals."""

import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from shared_study import SharedStudyCase, SIGNALS, checkpoints, tune, wait_until  # noqa: E402

SHORT = {"tune.epochs_min": 5, "tune.epochs_max": 20, "tune.trials": 6}
# Some seconds a trial, so that what happens to a worker happens inside one.
LONG = {"tune.epochs_min": 1000, "tune.epochs_max": 1000, "tune.trials": 2, "tune.pruner": "median", "tune.jobs": 1,
        "tune.lease_seconds": 2}


class Together(SharedStudyCase):
    def test_several_begin_at_once(self):
        for turn in range(4):
            self.url = self.server.create_database(f"turn_{turn}")
            words = tune(self.url, {**SHORT, "seed": turn}, "--worker", "--json")
            workers = [self.start(words, store=self.folder / f"store-{turn}-{i}") for i in range(3)]
            for worker in workers:
                self.assertEqual(worker.end(), product.OK, worker.text())
            said = [json.loads(worker.text()[worker.text().index("{"):]) for worker in workers]
            self.assertEqual(len({each["study"] for each in said}), 1, said)
            self.assertEqual(sum(each["ended_here"] for each in said), SHORT["tune.trials"], said)
            self.assertEqual([each["finished"] for each in said], [SHORT["tune.trials"]] * 3)
            self.assert_whole(self.study(self.folder / f"store-{turn}-0"), SHORT["tune.trials"])


class Away(SharedStudyCase):
    def begin(self, *settings):
        """A worker in the middle of a trial that has a checkpoint."""
        worker = self.start(tune(self.url, LONG, "--worker", *settings))
        wait_until(lambda: checkpoints(self.store) or worker.status() is not None, 60, worker.text)
        self.assertIsNone(worker.status(), worker.text())
        return worker

    def test_for_a_while(self):
        worker = self.begin()
        self.server.stop("fast")
        before = max(checkpoints(self.store).values())
        wait_until(lambda: max(checkpoints(self.store).values()) > before, 60, worker.text)
        time.sleep(3)  # longer than the lease
        self.assertIsNone(worker.status(), worker.text())
        self.server.start()
        self.assertEqual(worker.end(), product.OK, worker.text())
        study = self.study()
        self.assert_whole(study, LONG["tune.trials"])
        self.assertEqual([trial["attempt"] for trial in study["trials"]], [1, 1])
        self.assert_replays()

    def test_for_too_long(self):
        worker = self.begin("--set", "tune.patience_seconds=2")
        self.server.stop("immediate")
        self.assertEqual(worker.end(), product.TEMPORARY, worker.text())
        for part in ("is away, waiting", "error: ", "run the same command again when the database is there"):
            self.assertIn(part, worker.text())
        self.server.start()
        again = self.start(tune(self.url, LONG, "--worker"))
        self.assertEqual(again.end(), product.OK, again.text())
        self.assert_whole(self.study(), LONG["tune.trials"])
        self.assert_replays()

    def test_frozen_worker_does_not_hold_the_others_up(self):
        # Stopped inside a transaction, it has the study to itself until the server ends that.
        first = self.begin()

        def holds():
            return self.sql("select pid from pg_stat_activity where state = 'idle in transaction' "
                            "and clock_timestamp() - state_change > interval '200 ms'")

        def stopped_inside():
            first.send(signal.SIGSTOP)
            time.sleep(0.3)
            held = holds()
            if not held:
                first.send(signal.SIGCONT)
            return held

        wait_until(stopped_inside, 60, first.text)
        second = self.start(tune(self.url, LONG, "--worker"))
        self.assertEqual(second.end(), product.OK, second.text())
        first.send(signal.SIGCONT)
        self.assertEqual(first.end(), product.OK, first.text())
        self.assert_whole(self.study(), LONG["tune.trials"])
        self.assert_replays()

    SETTINGS = {"idle_in_transaction_session_timeout": "4s"}


class Refused(SharedStudyCase):
    SECRET = "no-one_shall,see"

    def setUp(self):
        super().setUp()
        self.server.sql(f"create role carol login password '{self.SECRET}'")
        self.server.sql("create database carols owner carol")
        # Only she is asked.
        data = self.server.folder / "data" / "pg_hba.conf"
        data.write_text("host all carol 127.0.0.1/32 scram-sha-256\n" + data.read_text())
        self.server.restart()
        self.at = f"127.0.0.1:{self.server.port}"

    def commands(self, url):
        return (tune(url, SHORT, "--worker", "--verbose"), tune(url, SHORT), ["tune", "--worker", "--study", url],
                ["study", "list", "--study", url], ["study", "show", "--study", url], ["study", "replay", "--study", url])

    def test_exit_statuses(self):
        wrong = f"{self.SECRET}!"
        cases = ((f"mysql://carol:{wrong}@{self.at}/carols", product.CONFIGURATION, "neither SQLite's nor PostgreSQL's"),
                 (f"postgresql://carol:{wrong}@{self.at}x/carols", product.CONFIGURATION, "port that is no number"),
                 (f"postgresql://carol:{wrong}@{self.at}/carols", product.CONFIGURATION, "check the user, the password"),
                 (f"postgresql://carol@{self.at}/carols", product.CONFIGURATION, "check the user, the password"),
                 (f"postgresql://carol:{self.SECRET}@{self.at}/hers", product.CONFIGURATION, 'database "hers"'),
                 (f"postgresql://carol:{wrong}@127.0.0.1:1/carols", product.TEMPORARY, "run the same command again"))
        for url, status, words in cases:
            for command in self.commands(url):
                with self.subTest(url=url, command=command[:2]):
                    patience = {"TCROPS_TUNE_PATIENCE_SECONDS": "1"}
                    done = self.fails(status, command, words, store=self.store, env=patience)
                    self.assertNotIn(self.SECRET, done.stderr)

    def test_no_password_is_kept_or_said(self):
        url = f"postgresql://carol:{self.SECRET}@{self.at}/carols"
        said = []
        commands = [*self.commands(url), ["artifacts", "show", "quickstart.study"]]
        for command in commands:
            for how in ([], ["--json"]):
                done = self.ok([*command, *how], store=self.store)
                said.append(done.stdout + done.stderr)
        self.assertIn(f"postgresql://carol@{self.at}/carols", "".join(said))
        self.assertNotIn(self.SECRET, "".join(said))
        holders = [path for path in self.store.rglob("*") if path.is_file() and self.SECRET.encode() in path.read_bytes()]
        self.assertEqual(holders, [])

    def test_empty_database(self):
        for command in (["study", "show"], ["study", "replay"], ["tune", "--worker"]):
            self.fails(product.ARTIFACT, [*command, "--study", self.url], "has no study", store=self.store)
        self.assertIn("no studies", self.ok(["study", "list", "--study", self.url], store=self.store).stdout)


class Signals(SharedStudyCase):
    def test_trials_are_given_back(self):
        words = tune(self.url, LONG, "--worker")
        reached = 0
        for turn, (number, status) in enumerate(SIGNALS.items(), start=1):
            worker = self.start(words)

            def is_further():
                return self.trial_of(worker) is not None and max(checkpoints(self.store).values(), default=0) > reached

            wait_until(lambda: worker.status() is not None or is_further(), 60, worker.text)
            asked = time.monotonic()
            self.assertEqual(worker.end(number), status, worker.text())
            self.assertLess(time.monotonic() - asked, 10)
            self.assertIn("the same command continues", worker.text())
            if turn > 1:
                self.assertIn(f"goes on after epoch {reached}", worker.text())
            study = self.study()
            self.assertEqual([each["how"] for each in study["attempts"]], ["released"] * turn)
            self.assertEqual([trial["state"] for trial in study["trials"]], ["waiting"])
            reached = checkpoints(self.store)[0]
        last = self.start(words)
        self.assertEqual(last.end(), product.OK, last.text())
        self.assertIn(f"trial 0 goes on after epoch {reached}", last.text())
        study = self.study()
        self.assert_whole(study, LONG["tune.trials"])
        self.assertEqual([trial["attempt"] for trial in study["trials"]], [1, 1])  # what is given back does not count
        self.assert_replays()


if __name__ == "__main__":
    product.main()
