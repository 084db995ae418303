"""Exports studies, and lets Optuna read, judge and continue them: optuna_export_parity.py OPTUNA_PROBE."""

import contextlib
import datetime
import json
import math
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import optuna
    import sqlalchemy
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState
    from optuna_plots import Plots
except ImportError as error:
    print(f"SKIPPED: {error}; install Debian's python3-optuna, -matplotlib and -plotly to compare with it")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import libpq_dialect
from postgres import Postgres, programs

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

USAGE, CONFIGURATION, ARTIFACT = 2, 3, 5
SPACE = [
    {"name": "model", "type": "choice", "options": ["líne", "net", 3, 0.5]},
    {"name": "x", "type": "float", "low": -2.0, "high": 3.0},
    {"name": "rate", "type": "float", "low": 1e-5, "high": 1.0, "log": True},
    {"name": "drop", "type": "float", "low": 0.05, "high": 0.5, "step": 0.1},
    {"name": "units", "type": "integer", "low": 16, "high": 250, "step": 16},
    {"name": "wide", "type": "integer", "low": 1, "high": 4096, "log": True},
    {"name": "epochs", "type": "integer", "low": -5, "high": 25},
    {"name": "one", "type": "integer", "low": 7, "high": 7},
    {"name": "depth", "type": "integer", "low": 1, "high": 9, "when": {"parameter": "model", "values": ["net", 3]}},
]
# The ends that a whole number of steps reaches, as Optuna has them.
DISTRIBUTIONS = {
    "model": CategoricalDistribution(["líne", "net", 3, 0.5]),
    "x": FloatDistribution(-2.0, 3.0),
    "rate": FloatDistribution(1e-5, 1.0, log=True),
    "drop": FloatDistribution(0.05, 0.45, step=0.1),
    "units": IntDistribution(16, 240, step=16),
    "wide": IntDistribution(1, 4096, log=True),
    "epochs": IntDistribution(-5, 25),
    "one": IntDistribution(7, 7),
    "depth": IntDistribution(1, 9),
}
INFINITE = {"inf": math.inf, "-inf": -math.inf, None: math.nan}


def draw(rng):
    point = {"model": SPACE[0]["options"][rng.integers(4)], "x": float(rng.uniform(-2, 3)),
             "rate": float(10 ** rng.uniform(-5, 0)), "drop": 0.05 + 0.1 * int(rng.integers(5)),
             "units": 16 * int(rng.integers(1, 16)), "wide": int(2 ** rng.uniform(0, 12)),
             "epochs": int(rng.integers(-5, 26)), "one": 7}
    if point["model"] in ("net", 3):
        point["depth"] = int(rng.integers(1, 10))
    return point


def make_trial(rng, number, state="complete", **other):
    trial = {"number": number, "point": draw(rng), "value": float(rng.normal()), "acceptable": True, "reason": "",
             "weights": 0, "details": {}, "state": state, "reports": [], "origin": "", "decision": False}
    return {**trial, **other}


def make_study(seed=1, name="härte 'a'"):
    """Every state and kind of value, in no order."""
    rng = np.random.default_rng(seed)
    special = {
        3: {"acceptable": False, "value": 99.0, "reason": "guard \"fpr\": 0.7 \u2265 0.5\nsecond line"},
        5: {"state": "pruned", "value": 50.0, "reports": [[1, 0.25], [4, None], [9, 50.0]], "decision": True},
        6: {"state": "pruned", "value": 0.0},
        8: {"state": "failed", "value": 70.0, "reason": "out of memory"},
        9: {"state": "running", "value": 80.0, "reports": [[0, 0.5]]},
        11: {"value": None, "acceptable": False},
        12: {"value": "inf"}, 13: {"value": "-inf", "acceptable": False},
        14: {"value": 1e-300, "reports": [[step, value] for step, value in enumerate([0.1, "inf", "-inf", None])]},
        15: {"details": {"auc": 0.75, "of": {"count": 12, "name": "none", "list": [1, 2]}}, "weights": 123456789012,
             "origin": "study \u00e4lter"},
        16: {"value": 0.1 + 0.2},
    }
    trials = [make_trial(rng, number, **special.get(number, {})) for number in range(40) if number != 21]
    rng.shuffle(trials)
    start = 1_700_000_000.0
    times = [[start + 10.5 * each["number"],
              None if each["state"] == "running" else start + 10.5 * each["number"] + 7.123456] for each in trials]
    times[trials.index(next(each for each in trials if each["number"] == 16))] = [None, None]
    return {"study": name, "space": SPACE, "replace": False, "trials": trials, "times": times,
            "attributes": {"seed": 1, "objective": {"metric": "auc", "ends": [0, None]}, "näme": "\u20ac"}}


def export(database, study, code=0):
    done = subprocess.run([sys.argv[1], database], input=json.dumps(study), capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout) if done.stdout else {"code": done.returncode}
    assert answer["code"] == code, (answer, done.stderr)
    return answer.get("error", "")


def number(value):
    return INFINITE[value] if value is None or isinstance(value, str) else value


def same(a, b):
    return a == b or (a is not None and b is not None and math.isnan(a) and math.isnan(b))


def expected_end(trial):
    """State and value."""
    value = number(trial["value"])
    if trial["state"] == "pruned":
        return TrialState.PRUNED, value if trial["reports"] else None
    if trial["state"] != "complete" or math.isnan(value):
        return (TrialState.RUNNING if trial["state"] == "running" else TrialState.FAIL), None
    return (TrialState.COMPLETE if trial["acceptable"] and math.isfinite(value) else TrialState.PRUNED), value


def expected_attributes(trial):
    result = {"acceptable": trial["acceptable"]}
    result.update({key: trial[key] for key in ("weights", "reason", "origin") if trial[key]})
    if trial["details"]:
        result.update({"details.auc": 0.75, "details.of.count": 12})
    if trial["decision"]:
        result["decision"] = {"prune": True, "rule": "median", "reason": "below the median", "step": 3, "own": 0.5,
                              "threshold": 0.75, "compared": 6}
    return result


def check_trial(theirs, trial, times):
    state, value = expected_end(trial)
    assert theirs.state == state and same(theirs.value, value), (theirs, trial)
    assert theirs.params == trial["point"], (theirs.params, trial["point"])
    assert {name: type(held) for name, held in theirs.params.items()} == {
        name: type(held) for name, held in trial["point"].items()}
    assert theirs.distributions == {name: DISTRIBUTIONS[name] for name in trial["point"]}, theirs.distributions
    reports = {step: number(held) for step, held in trial["reports"]}
    assert theirs.intermediate_values.keys() == reports.keys()
    assert all(same(held, reports[step]) for step, held in theirs.intermediate_values.items()), theirs
    attributes = dict(theirs.user_attrs)
    if "decision" in attributes:
        attributes["decision"] = {key: held for key, held in attributes["decision"].items() if held is not None}
    assert attributes == expected_attributes(trial), (attributes, expected_attributes(trial))
    finished = trial["state"] in ("complete", "pruned")
    assert theirs.system_attrs == ({"constraints": [0.0 if trial["acceptable"] else 1.0]} if finished else {}), theirs
    for found, seconds in zip((theirs.datetime_start, theirs.datetime_complete), times):
        if seconds is None:
            assert found is None, found
        else:
            wanted = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
            assert abs(found - wanted) <= datetime.timedelta(microseconds=1), (found, wanted)


def check_study(storage, study):
    """Everything that was exported, as Optuna reads it."""
    loaded = optuna.load_study(study_name=study["study"], storage=storage)
    assert loaded.direction == optuna.study.StudyDirection.MAXIMIZE
    assert loaded.user_attrs == study["attributes"], loaded.user_attrs
    trials = {trial["number"]: (trial, times) for trial, times in zip(study["trials"], study["times"])}
    assert [each.number for each in loaded.trials] == list(range(max(trials) + 1))
    for theirs in loaded.trials:
        if theirs.number in trials:
            check_trial(theirs, *trials[theirs.number])
        else:
            assert theirs.state == TrialState.FAIL and theirs.user_attrs == {"missing": True}, theirs
    able = [each for each, _ in trials.values() if expected_end(each)[0] == TrialState.COMPLETE]
    assert loaded.best_trial.number == max(able, key=lambda each: each["value"])["number"]
    return loaded


def objective(trial):
    values = {name: trial._suggest(name, each) for name, each in DISTRIBUTIONS.items() if name != "depth"}
    if values["model"] in ("net", 3):
        trial._suggest("depth", DISTRIBUTIONS["depth"])
    return 1000.0 + values["x"]


def check_use(storage, study):
    """Optuna can work with it: importances, a copy, and more trials."""
    loaded = optuna.load_study(study_name=study["study"], storage=storage, sampler=optuna.samplers.TPESampler(seed=1))
    before = len(loaded.trials)
    importances = optuna.importance.get_param_importances(loaded)
    assert {"x", "rate", "drop"} <= importances.keys() and abs(sum(importances.values()) - 1) < 1e-9, importances
    loaded.optimize(objective, n_trials=3)
    more = loaded.trials[before:]
    assert [each.number for each in more] == [before, before + 1, before + 2], more
    assert all(each.state == TrialState.COMPLETE for each in more)
    assert loaded.best_trial.number >= before and loaded.best_value > 900.0
    assert len(loaded.trials[:before]) == before and loaded.trials[3].value == 99.0


def normalised(sql):
    return re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql))


def sqlite_schema(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("select type, name, tbl_name, sql from sqlite_master").fetchall()
        versions = [connection.execute(f"select * from {table}").fetchall()
                    for table in ("version_info", "alembic_version")]
    return sorted((*row[:3], normalised(row[3] or "")) for row in rows), versions


def test_sqlite(folder):
    study = make_study()
    path, theirs = f"{folder}/ours.db", f"{folder}/theirs.db"
    export(f"sqlite:{path}", study)
    optuna.create_study(study_name="other", storage=f"sqlite:///{theirs}", direction="minimize")
    assert sqlite_schema(path) == sqlite_schema(theirs)

    # Beside Optuna's own study, whose ids are then taken; and twice.
    for database in (path, theirs):
        check_other_studies(f"sqlite:{database}", f"sqlite:///{database}", study, first=database == theirs)
        check_study(f"sqlite:///{database}", study)
        check_use(f"sqlite:///{database}", study)
    other = optuna.load_study(study_name="other", storage=f"sqlite:///{theirs}")
    assert other.direction == optuna.study.StudyDirection.MINIMIZE and other.trials == []


def postgresql_schema(server, database):
    return re.sub(r"(?m)^\\(un)?restrict .*$", "", server.run("pg_dump", "--no-owner", "-d", server.url(database),
                  "--exclude-table-data=[st]*"))


def test_postgresql(folder):
    if programs() is None:
        print("SKIPPED: PostgreSQL is not installed; install Debian's postgresql to compare with Optuna on it")
        assert os.environ.get("CI") != "true"
        return
    libpq_dialect.register()
    server = Postgres(f"{folder}/server").start()
    try:
        study = make_study()
        databases = {name: server.create_database(name) for name in ("ours", "theirs")}
        storages = {name: url.replace("postgresql:", "postgresql+libpq:") for name, url in databases.items()}
        export(databases["ours"], study)
        optuna.create_study(study_name="other", storage=storages["theirs"], direction="minimize")
        assert postgresql_schema(server, "ours") == postgresql_schema(server, "theirs")
        for name, url in databases.items():
            check_other_studies(url, storages[name], study, first=name == "theirs")
            check_study(storages[name], study)
            check_use(storages[name], study)
        other = optuna.load_study(study_name="other", storage=storages["theirs"])
        assert other.direction == optuna.study.StudyDirection.MINIMIZE and other.trials == []
        foreign = server.create_database("foreign")
        server.sql("create table studies (mine text)", "foreign")
        assert '"studies" is not Optuna\'s' in export(foreign, study, CONFIGURATION)
        assert server.sql("select count(*) from pg_type where typname = 'trialstate'", "foreign") == "0"
    finally:
        server.stop()


def check_other_studies(database, storage, study, first):
    if first:
        export(database, study)
    words = export(database, study, USAGE)
    assert study["study"] in words and "replace" in words, words
    second = {**make_study(2, "second"), "attributes": {}}
    export(database, second)
    shorter = {**study, "replace": True, "trials": study["trials"][:5], "times": study["times"][:5]}
    export(database, shorter)
    check_study(storage, shorter)
    check_study(storage, second)
    export(database, {**study, "replace": True})
    check_study(storage, study)
    check_study(storage, second)


def test_copy(folder):
    """Optuna's own checks of each trial, when it copies a study that has all times."""
    study = make_study(5, "whole")
    kept = [(trial, [1.0, None if trial["state"] == "running" else 2.0]) for trial in study["trials"]
            if trial["number"] < 21]
    study["trials"], study["times"] = [each[0] for each in kept], [each[1] for each in kept]
    export(f"sqlite:{folder}/copy.db", study)
    storage = f"sqlite:///{folder}/copy.db"
    optuna.copy_study(from_study_name="whole", from_storage=storage, to_storage=storage, to_study_name="copied")
    for copied, loaded in zip(optuna.load_study(study_name="copied", storage=storage).trials,
                              check_study(storage, study).trials, strict=True):
        assert (copied.number, copied.params, copied.state) == (loaded.number, loaded.params, loaded.state)
        assert same(copied.value, loaded.value)


def test_many(folder):
    """More rows than one statement takes, an empty study, and no times."""
    rng = np.random.default_rng(9)
    trials = [make_trial(rng, n, value=float(n % 777), reports=[[s, s / 7] for s in range(5)]) for n in range(777)]
    study = {**make_study(name="many"), "trials": trials, "times": []}
    export(f"sqlite:{folder}/many.db", study)
    check_study(f"sqlite:///{folder}/many.db", {**study, "times": [[None, None]] * 777})
    export(f"sqlite:{folder}/many.db", {**study, "study": "empty", "trials": []})
    assert optuna.load_study(study_name="empty", storage=f"sqlite:///{folder}/many.db").trials == []


def test_plots(folder):
    """Optuna's plots, of trials of all states."""
    rng = np.random.default_rng(3)
    study = make_study(3, "dráwn")
    for trial in study["trials"][:20]:
        if not trial["reports"] and trial["state"] != "failed":
            steps = range(3 if trial["state"] == "pruned" else 8)
            trial["reports"] = [[step, float(rng.normal())] for step in steps]
    export(f"sqlite:{folder}/drawn.db", study)
    ours = sorted(study["trials"], key=lambda trial: trial["number"])
    ends = {trial["number"]: expected_end(trial) for trial in ours}
    assert {state for state, _ in ends.values()} == {*TrialState} - {TrialState.WAITING}
    complete = [{**trial, "value": ends[trial["number"]][1]} for trial in ours
                if ends[trial["number"]][0] == TrialState.COMPLETE]
    reports = {trial["number"]: {step: number(value) for step, value in trial["reports"]} for trial in ours
               if trial["reports"] and ends[trial["number"]][0] != TrialState.FAIL}
    loaded = optuna.load_study(study_name=study["study"], storage=f"sqlite:///{folder}/drawn.db")
    Plots(loaded, complete, reports, folder).check(["rate", "x"], ["depth", "wide"])


def test_refusals(folder):
    study = make_study()

    def dump(path):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            return list(connection.iterdump())

    def prepare(name, *statements):
        with contextlib.closing(sqlite3.connect(f"{folder}/{name}")) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return f"{folder}/{name}"

    foreign = prepare("foreign.db", "create table trials (mine text)", "insert into trials values ('kept')")
    migrated = prepare("migrated.db", "create table alembic_version (version_num text)")
    for path, word in ((foreign, "trials"), (migrated, "alembic_version")):
        before = dump(path)
        assert f'"{word}" is not Optuna\'s' in export(f"sqlite:{path}", study, CONFIGURATION)
        assert dump(path) == before

    export(f"sqlite:{folder}/ours.db", {**study, "study": "first"})
    path = prepare("ours.db", "update alembic_version set version_num = 'v9.9.9.a'")
    assert "v9.9.9.a" in export(f"sqlite:{path}", study, CONFIGURATION)
    prepare("ours.db", "update alembic_version set version_num = 'v3.2.0.a'")
    export(f"sqlite:{path}", study)

    # Nothing is left of what fails, the tables included, and nothing is lost.
    wrong = json.loads(json.dumps(study))
    wrong["trials"][20]["number"] = wrong["trials"][21]["number"]
    words = export(f"sqlite:{folder}/none.db", wrong, ARTIFACT)
    assert "occurs twice" in words and dump(f"{folder}/none.db") == ["BEGIN TRANSACTION;", "COMMIT;"], words
    before = dump(path)
    export(f"sqlite:{path}", {**wrong, "replace": True}, ARTIFACT)
    assert dump(path) == before


def main():
    for test in (test_sqlite, test_postgresql, test_copy, test_many, test_plots, test_refusals):
        with tempfile.TemporaryDirectory() as folder:
            test(folder)
            print(f"{test.__name__}: ok")


if __name__ == "__main__":
    main()
