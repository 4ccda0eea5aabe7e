"""Jobs that do nothing, through Redis: Flatbed's runner beside npm's bullmq worker. And
what `flatbed serve` costs while it does nothing."""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from about import about, parse, rounds_parser
from measure import Failed
from table import markdown

CLIENTS = Path(os.environ["FLATBED_CACHE"]) / "bullmq-clients"
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
AT_ONCE = [1, 2, 8, 32]
FLATBED = "flatbed"


def main() -> int:
    options = parse(rounds_parser("queue"))
    jobs = 2000 if options.quick else 20_000
    package = json.loads((CLIENTS / "node_modules/bullmq/package.json").read_text())
    node = f"bullmq {package['version']}"
    subprocess.run([ROOT / "scripts/services", "start", "redis"], check=True)
    url = (ROOT / "target/services/redis/url").read_text().strip()
    print(about(node))
    print(f"{jobs} jobs that do nothing on one Redis, added beforehand; jobs of a run are")
    print("timed from the worker's start to the last one's end, CPU is the worker's own.\n")
    rates, costs = defaultdict(list), defaultdict(list)
    for _ in range(options.rounds):
        for at_once in AT_ONCE:
            for who, run in [(FLATBED, flatbed), (node, bullmq)]:
                rate, cpu = run(url, jobs, at_once)
                rates[at_once, who].append(rate)
                costs[at_once, who].append(cpu)
    rows, behind = [], []
    for at_once in AT_ONCE:
        theirs = statistics.median(rates[at_once, node])
        for who in [FLATBED, node]:
            rate = statistics.median(rates[at_once, who])
            cpu = statistics.median(costs[at_once, who])
            ratio = f"{rate / theirs:.2f}" if who == FLATBED else ""
            rows.append([str(at_once), who, f"{rate:,.0f}", f"{cpu:.0f}", ratio])
            if rate < theirs:
                behind.append(f"{at_once} at once: {rate:,.0f} jobs/s, bullmq {theirs:,.0f}")
    said = bench({}) + bench({"FLATBED_BENCH_ONLY": "sqlite"})
    latencies = re.findall(r"idle claim, (.*): median (\S+), p99 (\S+)", said)
    head = ["at once:", "worker", "jobs/s:", "CPU us/job:", "jobs/s, Flatbed to it:"]
    print(markdown(head, rows))
    print("\nFrom when a job is there until an idle worker has it (300 times):\n")
    print(markdown(["queue", "median", "p99"], [list(row) for row in latencies]))
    print("\n`flatbed serve` that does nothing:\n")
    idle = [["SQLite, a folder", *served({})], ["Redis, a folder", *served({"REDIS_URL": url})]]
    print(markdown(["set up with", "memory, MiB:", "/metrics, ms:", "slowest of 50:"], idle))
    for line in behind:
        print(f"slower: {line}", file=sys.stderr)
    return 1 if behind else 0


def flatbed(_url: str, jobs: int, at_once: int) -> tuple[float, float]:
    said = bench({"FLATBED_BENCH_JOBS": str(jobs), "FLATBED_BENCH_CONCURRENCY": str(at_once)})
    found = re.search(r"bullmq, \d+ at once: +(\d+) jobs/s, +(\d+) us", said)
    if found is None:
        raise Failed(f"the bench said: {said}")
    return float(found[1]), float(found[2])


def bench(settings: dict[str, str]) -> str:
    few = {"FLATBED_BENCH_ONLY": "bullmq", "FLATBED_BENCH_JOBS": "100"}
    return output(["cargo", "bench", "--quiet", "--bench", "queue"], os.environ | few | settings)


def served(settings: dict[str, str]) -> list[str]:
    """Memory of an idle server, and how long a scrape takes."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"PATH": os.environ["PATH"], "WORKER_PORT": "0"} | settings
        argv = [os.environ["FLATBED"], "serve"]
        process = subprocess.Popen(argv, cwd=folder, env=env, stderr=subprocess.PIPE, text=True)
        try:
            lines = iter(process.stderr.readline, "")
            port = next(m[1] for line in lines if (m := re.search(r"on http://.*:(\d+)", line)))
            took = []
            for _ in range(50):
                # Over five seconds: now and then the queue is counted anew.
                begun = time.perf_counter()
                connection = http.client.HTTPConnection("127.0.0.1", int(port))
                connection.request("GET", "/metrics")
                connection.getresponse().read()
                took.append(time.perf_counter() - begun)
                time.sleep(0.1)
            status = Path(f"/proc/{process.pid}/status").read_text()
            memory = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
        finally:
            process.terminate()
            process.wait()
    return [f"{memory:.1f}", f"{statistics.median(took) * 1e3:.2f}", f"{max(took) * 1e3:.2f}"]


def bullmq(url: str, jobs: int, at_once: int) -> tuple[float, float]:
    argv = ["node", HERE / "queue.mjs", CLIENTS, url, str(jobs), str(at_once)]
    said = json.loads(output(argv, os.environ))
    return said["rate"], said["cpu"]


def output(argv: list, env) -> str:
    done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{argv[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
