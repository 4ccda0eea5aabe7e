"""Image jobs from the list to the callback: `flatbed serve` beside a worker in Node
(ioredis, sharp, AWS's client) that does the same with the same Redis, bucket and
backend."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from about import PROGRAM, about, parse, rounds_parser
from compare_image import EFFORT, QUALITY, SHAPES, SHARP_FOLDER, made
from contest import FLATBED, verdict
from table import markdown

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ["FLATBED_CACHE"])
EXAMPLES = Path(PROGRAM).parent / "examples"
BUCKET = "flatbed-videos"
WIDTH = 1920
# As many jobs at once for either: twice the cores, Flatbed's default.
AT_ONCE = 2 * (os.cpu_count() or 1)
TICKS = os.sysconf("SC_CLK_TCK")
# Of Flatbed to the other: at least, at most.
RATE, MEMORY = 1.3, 0.5


@dataclass(frozen=True)
class Run:
    rate: float
    """Jobs a second, from the first message to the last COMPLETED."""
    cpu: float
    """Milliseconds of the worker's CPU a job."""
    peak: float
    """The worker's, MiB."""


def main() -> int:
    options = parse(rounds_parser("image-jobs"))
    jobs = 20 if options.quick else 100
    subprocess.run([ROOT / "scripts/services", "start", "redis"], check=True)
    redis = (ROOT / "target/services/redis/url").read_text().strip()
    node = versions()
    print(about(node))
    print(f"{jobs} jobs of {SHAPES[1].name} to {WIDTH} px, quality {QUALITY}, effort {EFFORT},")
    print(f"{AT_ONCE} at once; CPU and memory are the worker's alone.\n")
    runs = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
        with House(Path(scratch), redis) as house:
            for _ in range(options.rounds):
                runs[FLATBED].append(house.run(flatbed(), jobs))
                runs[node].append(house.run(in_node(), jobs))
    return report(runs, node)


def report(runs, node: str) -> int:
    def found(who, what):
        return statistics.median(getattr(run, what) for run in runs[who])

    rows = [
        [who, f"{found(who, 'rate'):.1f}", f"{found(who, 'cpu'):.0f}"]
        + [f"{max(run.peak for run in runs[who]):.0f}"]
        for who in (FLATBED, node)
    ]
    print(markdown(["worker", "jobs/s:", "CPU ms/job:", "peak MiB:"], rows))
    rate = found(FLATBED, "rate") / found(node, "rate")
    memory = max(run.peak for run in runs[FLATBED]) / max(run.peak for run in runs[node])
    goals = [
        ["jobs/s", f"{rate:.2f}", f"≥ {RATE:g}", verdict(rate >= RATE)],
        ["memory", f"{memory:.2f}", f"≤ {MEMORY:g}", verdict(memory <= MEMORY)],
    ]
    print()
    print(markdown(["Flatbed to it", "found:", "aim:", "reached"], goals))
    return 0 if rate >= RATE and memory <= MEMORY else 1


def versions() -> str:
    names = ["ioredis", "sharp"]
    found = [SHARP_FOLDER / "node_modules" / name / "package.json" for name in names]
    told = [json.loads(path.read_text())["version"] for path in found]
    return " and ".join(f"{name} {version}" for name, version in zip(names, told))


def flatbed() -> list[str]:
    return [PROGRAM, "serve"]


def in_node() -> list[str]:
    numbers = [AT_ONCE, WIDTH, QUALITY, EFFORT]
    return ["node", str(HERE / "image_worker.mjs"), str(SHARP_FOLDER), *map(str, numbers)]


class House:
    """The backend and the bucket, and the photos in it."""

    def __init__(self, folder: Path, redis: str):
        self.folder = folder
        self.redis = redis
        self.orders = 0

    def __enter__(self):
        raw = self.folder / "s3" / BUCKET / "raw"
        raw.mkdir(parents=True)
        self.photos = [shutil.copy(photo, raw) for photo in made([], SHAPES[1])]
        self.s3 = start([EXAMPLES / "s3_server", self.folder / "s3"])
        self.endpoint = self.s3.stdout.readline().strip()
        self.backend = start(["node", HERE / "image_backend.mjs"])
        self.address = self.backend.stdout.readline().strip()
        self.environment = {
            "PATH": os.environ["PATH"],
            "REDIS_URI": self.redis,
            "BACKEND_URL": self.address,
            "R2_BUCKET": BUCKET,
            "R2_ENDPOINT": self.endpoint,
            "R2_ACCESS_KEY_ID": "flatbed",
            "R2_SECRET_ACCESS_KEY": "flatbed-secret",
            "R2_PUBLIC_URL": f"{self.endpoint}/{BUCKET}",
            "FLATBED_WORKLOADS": "images",
            "WORKER_PORT": "0",
            "IMAGE_MAX_WIDTH": str(WIDTH),
            "IMAGE_MAX_HEIGHT": str(WIDTH),
            "IMAGE_QUALITY": str(QUALITY),
            "IMAGE_EFFORT": str(EFFORT),
            "IMAGE_CONCURRENCY": str(AT_ONCE),
        }
        return self

    def __exit__(self, *_):
        for process in (self.backend, self.s3):
            process.kill()
            process.wait()

    def run(self, argv: list[str], jobs: int) -> Run:
        self.ask("DEL", "task_queue")
        log = (self.folder / "log").open("a")
        worker = subprocess.Popen(argv, env=self.environment, cwd=self.folder, stderr=log)
        try:
            self.do(AT_ONCE)  # Started, connected, and uncounted.
            spent, begun = cpu(worker.pid), time.monotonic()
            self.do(jobs)
            took = time.monotonic() - begun
            used = cpu(worker.pid) - spent
            status = Path(f"/proc/{worker.pid}/status").read_text()
            peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        finally:
            worker.terminate()
            worker.wait()
        return Run(jobs / took, 1000 * used / jobs, peak)

    def do(self, jobs: int) -> None:
        """Orders so many, and waits for the last of them."""
        ids = [f"{self.orders + number:024x}" for number in range(jobs)]
        self.orders += jobs
        orders = [
            {
                "_id": id_,
                "entityType": "event",
                "entityId": "655501d2f12a3d0f3c5a1001",
                "sourceImageURL": f"{self.environment['R2_PUBLIC_URL']}/raw/{photo.name}",
                "sourceImageKey": f"raw/{photo.name}",
                "status": "PENDING",
                "errorMsg": "",
                "originalFilename": photo.name,
                "mimetype": "image/jpeg",
                "fileSize": photo.stat().st_size,
                "createdAt": "2024-01-01T00:00:00.000Z",
                "updatedAt": "2024-01-01T00:00:00.000Z",
            }
            for number, id_ in enumerate(ids)
            for photo in [Path(self.photos[number % len(self.photos)])]
        ]
        request = urllib.request.Request(
            f"{self.address}/api/image-jobs", data=json.dumps(orders).encode(), method="POST"
        )
        urllib.request.urlopen(request).read()
        messages = [
            json.dumps({"task_type": "process_image", "payload": {"imageJobID": id_}}) for id_ in ids
        ]
        self.ask("LPUSH", "task_queue", *messages)
        left = set(ids)
        while left:
            id_, status = self.backend.stdout.readline().split()
            if status != "COMPLETED":
                raise SystemExit(f"compare: a job ended as {status}: {self.folder / 'log'}")
            left.discard(id_)

    def ask(self, *words: str) -> None:
        """One command of Redis, whose answer is one line."""
        host, _, port = self.redis.removeprefix("redis://").partition(":")
        parts = [word.encode() for word in words]
        command = b"*%d\r\n" % len(parts)
        command += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(command)
            answer = connection.makefile().readline()
        if answer.startswith("-"):
            raise SystemExit(f"compare: Redis: {answer}")


def start(argv) -> subprocess.Popen:
    return subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True)


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    sys.exit(main())
