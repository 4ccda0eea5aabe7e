"""Jobs that do nothing, through Redis: Flatbed's runner beside npm's bullmq worker."""

import json
import os
import re
import statistics
import subprocess
import sys
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
    head = ["at once:", "worker", "jobs/s:", "CPU us/job:", "jobs/s, Flatbed to it:"]
    print(markdown(head, rows))
    for line in behind:
        print(f"slower: {line}", file=sys.stderr)
    return 1 if behind else 0


def flatbed(_url: str, jobs: int, at_once: int) -> tuple[float, float]:
    env = os.environ | {
        "FLATBED_BENCH_ONLY": "bullmq",
        "FLATBED_BENCH_JOBS": str(jobs),
        "FLATBED_BENCH_CONCURRENCY": str(at_once),
    }
    said = output(["cargo", "bench", "--quiet", "--bench", "queue"], env)
    found = re.search(r"bullmq, \d+ at once: +(\d+) jobs/s, +(\d+) us", said)
    if found is None:
        raise Failed(f"the bench said: {said}")
    return float(found[1]), float(found[2])


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
