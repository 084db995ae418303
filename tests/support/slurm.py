"""Slurm clusters of a test's own: one node, on free ports of 127.0.0.1, ended with the test. Standard library only."""

import atexit
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import time

from postgres import free_port

# More CPUs than there may be: what a test runs at once does not depend on the machine.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={control_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=5
MinJobAge=3600
JobRequeue=1
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=60 State=UP
"""
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE")


def is_installed():
    return all(shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
               for program in ("slurmctld", "slurmd", "sbatch", "scontrol", "scancel", "squeue", "sinfo"))


class Slurm:
    """One cluster with its files in `folder`, which must not hold another's."""

    def __init__(self, folder, cpus=4):
        self.folder = pathlib.Path(folder).resolve()
        self.cpus = cpus
        self.daemons = []
        self.environment = {**{name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH"))},
                            "SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"}

    def start(self):
        """Starts controller and node, and waits until jobs can run."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0], control_port=free_port(), node_port=free_port(), folder=self.folder,
            user=pwd.getpwuid(os.geteuid()).pw_name, cpus=self.cpus), encoding="utf-8")
        atexit.register(self.stop)
        for words in (("slurmctld", "-D", "-i"), ("slurmd", "-D")):
            with open(self.folder / f"{words[0]}.out", "ab") as out:
                self.daemons.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                     env=self.environment, start_new_session=True))
        self.wait_until(self.is_ready, 60)
        return self

    def is_ready(self):
        done = subprocess.run(["sinfo", "-h", "-o", "%T"], env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "idle"

    def stop(self):
        """Ends jobs and daemons."""
        if not self.daemons:
            return
        atexit.unregister(self.stop)
        if all(daemon.poll() is None for daemon in self.daemons):
            for job in self.jobs():
                self.call("scancel", "--quiet", job["JobId"], check=False)
            self.call("scancel", "--quiet", "--user", pwd.getpwuid(os.geteuid()).pw_name, check=False)
            self.wait_until(lambda: not self.call("squeue", "-h"), 60)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=60)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self.daemons = []

    def sbatch(self, script, *words, options=(), env=None):
        """Submits a script with its arguments; the job's number."""
        done = self.call("sbatch", "--parsable", *options, script, *words, env=env)
        return done.partition(";")[0]

    def jobs(self):
        """What `scontrol show job` says of every job, ended ones too: a list of dictionaries."""
        text = self.call("scontrol", "--oneliner", "--all", "show", "job", check=False)
        jobs = []
        for line in text.splitlines():
            fields = dict(word.partition("=")[::2] for word in line.split() if "=" in word)
            if "JobId" in fields:
                jobs.append(fields)
        return jobs

    def job(self, number):
        """The same of one job, or of one task as "JOB_TASK"."""
        array, _, task = str(number).partition("_")
        for job in self.jobs():
            if job["JobId"] == array and not task:
                return job
            if task and job.get("ArrayJobId") == array and job.get("ArrayTaskId") == task:
                return job
        raise KeyError(number)

    def state(self, number):
        return self.job(number)["JobState"]

    def has_ended(self, number):
        return self.state(number) in ENDED

    def run_now(self, number):
        """Spares a requeued job the two minutes that Slurm lets it wait."""
        self.call("scontrol", "update", f"JobId={self.job(number)['JobId']}", "StartTime=now")

    def call(self, *words, check=True, env=None):
        """What one of Slurm's commands prints."""
        done = subprocess.run([str(word) for word in words], env={**self.environment, **(env or {})}, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(f"{words[0]}: {done.stderr}")
        return done.stdout.strip()

    def wait_until(self, is_so, seconds):
        until = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > until or any(daemon.poll() is not None for daemon in self.daemons):
                raise RuntimeError(f"Slurm:\n{self.call('squeue', check=False)}\n{self.logs()}")
            time.sleep(0.1)

    def logs(self):
        """The end of what the daemons have written."""
        return "\n".join(f"{path.name}: {path.read_text(encoding='utf-8', errors='replace')[-3000:]}"
                         for path in sorted(self.folder.glob("slurm*.*")) if path.suffix in (".log", ".out"))
