"""People to the gates: how many a second go through all four stages, between a real
RabbitMQ and simulators of Eposh and HikCentral on the same machine; and what
`flatbed serve` takes for it."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

from about import PROGRAM, about, parse, rounds_parser
from contest import verdict
from measure import Failed
from table import markdown

ROOT = Path(__file__).parent.parent.parent
SITE = Path(PROGRAM).parent / "examples/access_site"
QUEUES = ["QUEUE_MAIN", "QUEUE_CREATE_PERSON", "QUEUE_UPDATE_KIB", "QUEUE_ASSIGN_PRIVILEGE"]
DAY = b'{"from": "2026-01-01", "to": "2026-01-01"}'
TICKS = os.sysconf("SC_CLK_TCK")
# People a second at least, MiB at most.
RATE, MEMORY = 200, 60


@dataclass(frozen=True)
class Run:
    rate: float
    """People a second, from the request to the last privilege group."""
    cpu: float
    """Milliseconds of the worker's CPU a person."""
    peak: float
    """The worker's, MiB."""


def main() -> int:
    options = parse(rounds_parser("access"))
    people = 400 if options.quick else 4000
    subprocess.run([ROOT / "scripts/services", "start", "rabbitmq"], check=True)
    url = (ROOT / "target/services/rabbitmq/url").read_text().strip()
    print(about("simulated Eposh and HikCentral"))
    print(f"{people} people, photos of 480x640 (PNG, JPEG, WebP), 100 on a page; broker,")
    print("simulators and worker share the machine.\n")
    rows, found = [], {}
    for what, hosts in [("with photos", "127.0.0.1"), ("none can be fetched", "")]:
        runs = [run(url, people, hosts) for _ in range(options.rounds)]
        rate = statistics.median(run.rate for run in runs)
        spent = statistics.median(run.cpu for run in runs)
        peak = max(run.peak for run in runs)
        found[what] = rate, peak
        rows.append([what, f"{rate:.0f}", f"{spent:.1f}", f"{peak:.0f}"])
    rate, peak = found["with photos"]
    print(markdown(["people", "people/s:", "CPU ms/person:", "peak MiB:"], rows))
    goals = [
        ["people/s", f"{rate:.0f}", f"≥ {RATE}", verdict(rate >= RATE)],
        ["memory, MiB", f"{peak:.0f}", f"≤ {MEMORY}", verdict(peak <= MEMORY)],
    ]
    print()
    print(markdown(["", "found:", "aim:", "reached"], goals))
    return 0 if rate >= RATE and peak <= MEMORY else 1


def run(url: str, people: int, hosts: str) -> Run:
    site = subprocess.Popen([SITE, str(people)], stdout=subprocess.PIPE, text=True)
    with tempfile.TemporaryDirectory() as folder:
        env = {"PATH": os.environ["PATH"], "FLATBED_WORKLOADS": "access", "WORKER_PORT": "0"}
        env |= dict(line.strip().split("=", 1) for line in iter(site.stdout.readline, "\n"))
        env |= {"RABBITMQ_URL": url, "FETCH_ALLOW_HOSTS": hosts}
        name = f"compare-{uuid.uuid4()}"
        env |= {queue: f"{name}-{queue.lower()}" for queue in QUEUES}
        log = Path(folder) / "log"
        with log.open("w") as err:
            worker = subprocess.Popen([PROGRAM, "serve"], cwd=folder, env=env, stderr=err)
        try:
            address = said(log, r"listening on (http://\S+)", worker)
            begun, spent = time.monotonic(), cpu(worker.pid)
            request = urllib.request.Request(f"{address}/eposh-induction", data=DAY, method="POST")
            urllib.request.urlopen(request, timeout=600).read()
            if site.stdout.readline().strip() != "through":
                raise Failed(f"nobody is through; the log's end:\n{log.read_text()[-2000:]}")
            took = time.monotonic() - begun
            status = Path(f"/proc/{worker.pid}/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
            return Run(people / took, (cpu(worker.pid) - spent) * 1e3 / people, peak)
        finally:
            for process in (worker, site):
                process.terminate()
                process.wait()


def said(log: Path, words: str, worker: subprocess.Popen) -> str:
    for _ in range(3000):
        if found := re.search(words, log.read_text()):
            return found[1]
        if worker.poll() is not None:
            break
        time.sleep(0.01)
    raise Failed(f"flatbed serve said: {log.read_text()}")


def cpu(pid: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    sys.exit(main())
