"""Completion: the engine by itself, and through the scripts in real shells."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import product  # noqa: E402
from product import KINDS, OK, PROGRAM, STAGES, prepared  # noqa: E402

NAMES = sorted(f"quickstart.{kind}" for kind in KINDS)
STAGE_COMMANDS = [stage for stage in STAGES if stage.startswith("p")]
# An alias of a registered model: it has a character at which Bash breaks words.
ALIAS = "quickstart@candidate"

# what is tested, the line up to the cursor, and the whole words offered for its last one
CASES = (
    ("command", "tcrops art", ["artifacts"]),
    ("several commands", "tcrops p", sorted(STAGE_COMMANDS)),
    ("subcommand", "tcrops artifacts ", ["diff", "export", "gc", "import", "lineage", "ls", "show", "verify"]),
    ("option", "tcrops predict --st", ["--store", "--strict"]),
    ("option given already", "tcrops predict --strict --st", ["--store"]),
    ("artifact", "tcrops artifacts show quickstart.", NAMES),
    ("artifact in quotes", 'tcrops artifacts show "quickstart.ra', ["quickstart.raw"]),
    ("artifact with @", "tcrops artifacts show quickstart@ca", [ALIAS]),
    ("model", "tcrops predict --model quick", ["quickstart.model", ALIAS]),
    ("registered model", "tcrops models show qu", ["quickstart", ALIAS]),
    ("version", "tcrops models rollback quickstart@v", [f"quickstart@v{number}" for number in range(1, 5)]),
    ("model behind =", "tcrops predict --model=quickstart.", ["--model=quickstart.model"]),
    ("key", "tcrops run --set tune.tr", ["tune.trials="]),
    ("several keys", "tcrops run --set tune.epochs", ["tune.epochs_max=", "tune.epochs_min="]),
    ("choice of a key", "tcrops run --set tune.sampler=", ["tune.sampler=random", "tune.sampler=tpe"]),
    ("begun choice of a key", "tcrops run --set tune.sampler=t", ["tune.sampler=tpe"]),
    ("boolean key", "tcrops run --set preprocess.strict=", ["preprocess.strict=false", "preprocess.strict=true"]),
    ("default of a key", "tcrops run --set tune.trials=", ["tune.trials=20"]),
    ("list of a key", "tcrops run --set tune.models=mlp_small,mlp_m", ["tune.models=mlp_small,mlp_medium"]),
    ("choice of an option", "tcrops man --markdown e", ["exit-statuses"]),
    ("choice of an argument", "tcrops completion ", ["bash", "fish", "zsh"]),
    ("device", "tcrops train --device c", ["cpu", "cuda"]),
    ("unknown command", "tcrops trian ", []),
    ("unknown subcommand", "tcrops artifacts lst ", []),
)
NO_STORE = ("tcrops artifacts show --store nowhere q", "tcrops predict --store=nowhere --model q")



class Case(product.ProductCase):
    def setUp(self):
        super().setUp()
        self.copy()
        self.work = self.folder / "work"
        (self.work / "inner").mkdir(parents=True)
        (self.work / "pipeline.json").write_text("{}")
        self.environment = product.environment({
            "TCROPS_STORE": str(self.store), "PATH": f"{pathlib.Path(PROGRAM).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"})

    def script(self, shell):
        if shutil.which(shell) is None:
            product.skip(f"{shell} is not installed")
        path = self.folder / f"_tcrops.{shell}"
        path.write_text(self.ok(["completion", shell]).stdout)
        return path

    def each(self, complete):
        """`complete(line)` gives the words that a shell offers."""
        for what, line, expected in CASES:
            with self.subTest(what=what):
                self.assertEqual(sorted(complete(line)), expected, line)
        for line in NO_STORE:
            with self.subTest(what="no store", line=line):
                self.assertEqual(complete(line), [])
        with self.subTest(what="store of the command line"):
            del self.environment["TCROPS_STORE"]
            self.assertEqual(complete("tcrops artifacts show quick"), [])
            found = complete(f"tcrops artifacts show --store {self.store} quickstart.")
            self.assertEqual(sorted(found), NAMES)
            found = complete("tcrops artifacts show --store=~/store quickstart.")
            self.assertEqual(sorted(found), NAMES)


class Engine(Case):
    def answer(self, *words, **options):
        done = product.run(["__complete", *words], env={"TCROPS_STORE": str(self.store)}, **options)
        self.assertEqual((done.returncode, done.stderr), (OK, ""))
        return done.stdout.splitlines()

    def test_candidates_have_a_description(self):
        self.assertEqual(self.answer("art"), ["artifacts\twhat is in the store: list, show, verify, trace, compare, carry and remove"])
        self.assertEqual(self.answer("run", "--set", "tune.tr"), ["tune.trials=\tnumber of trials in all"])
        self.assertRegex(self.answer("artifacts", "show", "quickstart.raw")[0],
                         r"^quickstart\.raw\traw [0-9a-f]{12} by fetch$")

    def test_ids(self):
        identifier = product.names(self.store)["quickstart.raw"]
        found = self.answer("artifacts", "show", identifier[:6])
        self.assertEqual([line.split("\t")[0] for line in found], [identifier[:12]])

    def test_every_option_of_every_command(self):
        """What help shows is offered, and nothing else."""
        for path in (["run"], ["predict"], ["artifacts", "show"], ["config", "show"]):
            shown = set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z0-9-]+)", self.ok([*path, "--help"]).stdout))
            self.assertEqual({line.split("\t")[0] for line in self.answer(*path, "--")}, shown)

    def test_files_are_left_to_the_shell(self):
        self.assertEqual(self.answer("run", "--config", ""), [":file"])
        self.assertEqual(self.answer("run", "-c", "con"), [":file"])
        self.assertEqual(self.answer("run", "--config=con"), [":file"])
        self.assertEqual(self.answer("run", "--store", ""), [":folder"])

    def test_what_makes_no_sense(self):
        for words in ([], [""], ["--"], ["--", ""], ["-"], ["--nonsense=", ""], ["run", "--nonsense", ""],
                      ["run", "--set="], ["run", "--set", "x=y=z"], ["run", "--set", "="], ["artifacts", "show", "a", "b", ""],
                      ["artifacts", "show", "\udcff"], ["predict", "--model"], ["__complete", ""], ["a" * 100000]):
            with self.subTest(words=words and words[0][:20]):
                self.answer(*words)
        done = self.ok(["__complete_line"])
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_a_store_that_cannot_be_read(self):
        (self.store / "FORMAT").write_text("tcrops-store 99\n")
        self.assertEqual(self.answer("artifacts", "show", ""), [])
        self.assertEqual(self.answer("artifacts", "show", "--store", str(self.work / "pipeline.json"), ""), [])

    def test_damaged_artifact(self):
        (product.named(self.store, "quickstart.raw") / "manifest.json").unlink()
        self.assertEqual(self.answer("artifacts", "show", "quickstart.raw"), ["quickstart.raw\tdamaged"])

    def test_it_is_hidden(self):
        self.assertNotIn("__complete", self.ok(["--help"]).stdout + self.ok(["man"]).stdout)


class Bash(Case):
    """The function by itself, then all of Readline on a terminal."""

    def words_of(self, line, rest=""):
        script = f""". {self.script("bash")}
            compopt() {{ echo "compopt $*"; }}
            function=$(complete -p tcrops) && function=${{function#*-F }} && function=${{function% tcrops}}
            COMP_LINE=$1$2 COMP_POINT=${{#1}}
            read -ra COMP_WORDS <<<"$1x" && COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            $function tcrops "" ""
            printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", line, rest], env=self.environment, cwd=self.work,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # Bash puts what is offered behind the last = or in the place of @ and what follows (test_on_a_terminal).
        word = line[line.rindex(" ") + 1:]
        kept = word.partition("@")[0] if "@" in word else word[:word.rfind("=") + 1]
        return [kept + offered if not offered.startswith("compopt") else offered
                for offered in done.stdout.splitlines() if offered and offered != "compopt -o nospace"]

    def test_cases(self):
        self.each(self.words_of)

    def test_files(self):
        self.assertEqual(self.words_of("tcrops run --config p"), ["compopt -o default"])
        self.assertEqual(self.words_of("tcrops run --store "), ["compopt -o dirnames"])

    def test_in_the_middle(self):
        self.assertEqual(self.words_of("tcrops artifacts sh", " --store x"), ["show"])

    def test_on_a_terminal(self):
        output = self.folder / "line"
        with Terminal(["bash", "--norc", "-i"], self.environment, self.work) as terminal:
            terminal.send(f". {self.script('bash')}; bind 'set bell-style none'\n")
            terminal.send(f"""bind -x '"\\C-x": printf "%s|" "$READLINE_LINE" >{output}'\n""")
            for typed, becomes in (
                    ("tcrops artif\t", "tcrops artifacts "),
                    ("tcrops run --set tune.tr\t", "tcrops run --set tune.trials="),
                    ("tcrops run --set tune.sampler=t\t", "tcrops run --set tune.sampler=tpe "),
                    ("tcrops artifacts show quickstart@ca\t", f"tcrops artifacts show {ALIAS} "),
                    ('tcrops artifacts show "quickstart@ca\t', f'tcrops artifacts show "{ALIAS}" '),
                    ("tcrops predict --model=quickstart.\t", "tcrops predict --model=quickstart.model "),
                    ("tcrops run --config pi\t", "tcrops run --config pipeline.json "),
                    ("tcrops run --config=pi\t", "tcrops run --config=pipeline.json "),
                    ("tcrops run --store i\t", "tcrops run --store inner/"),
                    ("tcrops trian pi\t", "tcrops trian pi"),
                    ("tcrops artif ls\x1b[D\x1b[D\x1b[D\t", "tcrops artifacts ls")):
                with self.subTest(typed=typed):
                    terminal.send(typed + "\x18")
                    self.assertEqual(terminal.wait_for(output).rstrip("|"), becomes)
                    terminal.send("\x05\x15")  # to the end, and all of it away


class Zsh(Case):
    # Says what was offered and what the line has become.
    SETUP = """PS1= RPS1= ; unsetopt zle_bracketed_paste prompt_cr prompt_sp; bindkey -e
        autoload -Uz compinit
        {load}
        compadd() {{
          local -a offered
          if (( ! ${{@[(I)-[OAD]]}} )); then
            builtin compadd -O offered "$@"
            print -rl -- $offered >>{folder}/offered
          fi
          builtin compadd "$@"
        }}
        report() {{
          : >{folder}/offered
          zle complete-word
          print -rn -- "$BUFFER|" >{folder}/line
        }}
        zle -N report; bindkey '^I' report
    """

    def terminal(self, load="compinit -u -d {folder}/dump; source {script}"):
        terminal = Terminal(["zsh", "-f", "-i"], self.environment, self.work)
        (self.folder / "setup").write_text(self.SETUP.format(
            folder=self.folder, load=load.format(folder=self.folder, script=self.script("zsh"))))
        terminal.send(f"source {self.folder}/setup\n")
        return terminal

    def test_cases(self):
        def words_of(line):
            with self.terminal() as terminal:
                terminal.send(line + "\t")
                terminal.wait_for(self.folder / "line")
            return [word for word in (self.folder / "offered").read_text().splitlines() if word]
        self.each(words_of)

    def test_what_the_line_becomes(self):
        # Here as an installed file, which zsh reads on first use.
        installed = "mkdir {folder}/site; cp {script} {folder}/site/_tcrops; fpath=({folder}/site $fpath); compinit -u"
        with self.terminal(installed + " -d {folder}/dump") as terminal:
            for typed, becomes in (
                    ("tcrops artif\t", "tcrops artifacts "),
                    ("tcrops run --set tune.tr\t", "tcrops run --set tune.trials="),
                    ("tcrops run --set tune.sampler=t\t", "tcrops run --set tune.sampler=tpe "),
                    ("tcrops artifacts show quickstart@ca\t", f"tcrops artifacts show {ALIAS} "),
                    ("tcrops run --config pi\t", "tcrops run --config pipeline.json "),
                    ("tcrops run --config=pi\t", "tcrops run --config=pipeline.json "),
                    ("tcrops run --store i\t", "tcrops run --store inner/"),
                    ("tcrops trian pi\t", "tcrops trian pi"),
                    ("tcrops artif ls\x02\x02\x02\t", "tcrops artifacts  ls")):
                with self.subTest(typed=typed):
                    terminal.send(typed)
                    self.assertEqual(terminal.wait_for(self.folder / "line").rstrip("|"), becomes)
                    terminal.send("\x05\x15")


class Fish(Case):
    def words_of(self, line):
        script = f"source {self.script('fish')}; complete -C $argv[1]"
        done = subprocess.run(["fish", "--no-config", "-c", script, line], env=self.environment, cwd=self.work,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return [offered.split("\t")[0] for offered in done.stdout.splitlines()]

    def test_cases(self):
        self.each(self.words_of)

    def test_files(self):
        self.assertEqual(self.words_of("tcrops run --config p"), ["pipeline.json"])
        self.assertEqual(self.words_of("tcrops run --config=p"), ["--config=pipeline.json"])
        self.assertEqual(self.words_of("tcrops run --store "), ["inner/"])


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words, environment, folder):
        leader, follower = pty.openpty()
        attributes = termios.tcgetattr(follower)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(follower, termios.TCSANOW, attributes)
        self.leader = leader
        self.process = subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, env=environment,
                                        cwd=folder, start_new_session=True)
        os.close(follower)

    def send(self, text):
        os.write(self.leader, text.encode())

    def wait_for(self, path, seconds=20):
        """What the program writes to a file, which ends with |; the file is removed."""
        deadline = time.monotonic() + seconds
        seen = b""
        while time.monotonic() < deadline:
            if select.select([self.leader], [], [], 0.01)[0]:
                seen += os.read(self.leader, 65536)
            text = path.read_text() if path.exists() else ""
            if text.endswith("|"):
                path.unlink()
                return text
        raise AssertionError(f"no answer within {seconds} s; the terminal shows {seen!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.leader)


if __name__ == "__main__":
    product.main()
