"""Clips of cameras: `flatbed serve` beside the way of the worker before it, which
downloads whole recordings, merges them and cuts with ffmpeg. Both ask the same
simulated recorder and fill the same S3 server."""

import os
import queue
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import media
import shown
from about import PROGRAM, about, parse, rounds_parser
from contest import verdict
from measure import Command, run
from table import markdown

CACHE = Path(os.environ["FLATBED_CACHE"])
PYTHON = str(CACHE / "compare-cctv-venv/bin/python")
EXAMPLES = Path(PROGRAM).parent / "examples"
FLATBED, BEFORE = "Flatbed", "download, ffmpeg, upload"
BUCKET = "flatbed-videos"
# Half an hour in one file, which is 0.9 GB.
LENGTH = 1800
CLIP = 30
# Of the recorder, bytes a second: what fast devices do.
SPEED = 37_000_000
TICKS = os.sysconf("SC_CLK_TCK")
MODES = {"exact": "true", "copy": "false"}
GOALS = {"cpu": 0.2, "past": 2.0, "visible": 1.0, "peak": 150}
LABELS = {
    "cpu": "its part of the other's CPU",
    "past": "footage past the end, the most, s",
    "visible": "last byte to object, s",
    "peak": "peak MiB",
}


@dataclass(frozen=True)
class Made:
    cpu: float
    wall: float
    peak: float
    sent: int
    """Bytes that left the recorder: the kernels on both sides hold some of them."""
    past: float
    """Seconds of footage behind the clip's end that were taken from the network."""
    visible: float
    """From when the last byte was sent that the clip needs until the object was there."""
    frames: int


def main() -> int:
    options = parse(rounds_parser("cctv"))
    source = recording()
    size = source.stat().st_size
    print(about())
    print(f"Clips of {CLIP} s out of one recording of {LENGTH} s and {size / 1e9:.2f} GB, from a")
    print(f"simulated recorder that sends {SPEED / 1e6:.0f} MB/s, to an S3 server on this host.\n")
    made = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
        with Site(Path(scratch), source) as site:
            for mode, exact in MODES.items():
                with Worker(site, exact) as worker:
                    for number in range(options.rounds):
                        at = 300.3 + 173 * number
                        made[mode, FLATBED].append(worker.make(at))
                        made[mode, BEFORE].append(before(site, at, mode))
    return report(made)


def report(made) -> int:
    rows, goals, missed = [], [], []
    for mode in MODES:
        costs = {who: made[mode, who] for who in (FLATBED, BEFORE)}
        median = lambda who, what: statistics.median(getattr(each, what) for each in costs[who])
        for who in costs:
            figures = [f"{median(who, 'cpu'):.2f}", f"{median(who, 'wall'):.1f}"]
            figures.append(f"{max(each.peak for each in costs[who]):.0f}")
            figures += [f"{median(who, 'sent') / 1e6:.0f}", f"{median(who, 'past'):.1f}"]
            figures += [f"{median(who, 'visible'):.2f}", f"{median(who, 'frames'):.0f}"]
            rows.append([mode, who, *figures])
        found = {
            "cpu": median(FLATBED, "cpu") / median(BEFORE, "cpu"),
            "past": max(each.past for each in costs[FLATBED]),
            "visible": median(FLATBED, "visible"),
            "peak": max(each.peak for each in costs[FLATBED]),
        }
        for name, goal in GOALS.items():
            if mode == "copy" and name == "cpu":
                continue  # The aim is about the exact cut.
            met = found[name] <= goal
            goals.append([mode, LABELS[name], f"{found[name]:.2f}", f"{goal:g}", verdict(met)])
            if not met:
                missed.append(f"{mode}: {LABELS[name]}: {found[name]:.2f}, more than {goal:g}")
    head = ["cut", "way", "CPU s:", "wall s:", "peak MiB:", "sent MB:", "past the end, s:"]
    print(markdown([*head, "last byte to object, s:", "frames:"], rows))
    print()
    print(markdown(["cut", "Flatbed", "found:", "aim, at most:", "reached"], goals))
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


class Site:
    """The recorder and the bucket."""

    def __init__(self, folder: Path, source: Path):
        self.folder = folder
        self.source = source
        self.lines: queue.Queue[str] = queue.Queue()

    def __enter__(self):
        self.store = self.folder / "s3"
        self.store.mkdir()
        self.s3 = start([EXAMPLES / "s3_server", str(self.store)])
        self.endpoint = self.s3.stdout.readline().strip()
        self.nvr = start([EXAMPLES / "nvr", "--speed", str(SPEED), str(self.source)])
        begun, _, _ = self.nvr.stdout.readline().partition(" to ")
        self.begun = datetime.fromisoformat(begun)
        self.recorder, _, self.user, _, self.password = self.nvr.stdout.readline().split()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _listen(self) -> None:
        for line in self.nvr.stdout:
            self.lines.put(line)

    def download(self) -> tuple[float, int]:
        """When the next download began, and the bytes that were sent of it."""
        _, begun, _, sent = self.lines.get(timeout=60).split()
        return datetime.fromisoformat(begun).timestamp(), int(sent)

    def __exit__(self, *_):
        for process in (self.nvr, self.s3):
            process.kill()
            process.wait()

    def measured(
        self,
        at: float,
        cost: tuple[float, float, float],
        key: str,
        visible: float,
        taken: int | None = None,
    ) -> Made:
        """`taken` from the network, if not all that was sent."""
        begun, sent = self.download()
        size = self.source.stat().st_size
        needed = size * (at + CLIP) / LENGTH
        past = ((sent if taken is None else taken) - needed) * LENGTH / size
        path = self.store / BUCKET / key
        frames = shown.count(path).frames
        cpu, wall, peak = cost
        return Made(cpu, wall, peak, sent, past, visible - begun - needed / SPEED, frames)


class Worker:
    """`flatbed serve`, with its tables in a file."""

    def __init__(self, site: Site, exact: str):
        self.site = site
        self.folder = Path(tempfile.mkdtemp(dir=site.folder))
        # Each worker counts its items from 1.
        self.prefix = f"exact-{exact}"
        encrypt = (
            "import sys; from cryptography.fernet import Fernet; key = Fernet.generate_key();"
            "print(key.decode(), Fernet(key).encrypt(sys.argv[1].encode()).decode())"
        )
        done = subprocess.run([PYTHON, "-c", encrypt, site.password], capture_output=True, check=True)
        key, self.password = done.stdout.decode().split()
        self.environment = {
            "CAMERA_ENCRYPTION_KEY": key,
            "GCS_BUCKET": BUCKET,
            "GCS_ENDPOINT": site.endpoint,
            "GCS_ACCESS_KEY": "flatbed",
            "GCS_SECRET_KEY": "flatbed-secret",
            "TEMP_VIDEO_DIR": str(self.folder / "temp"),
            "FLATBED_WORKLOADS": "cctv",
            "FLATBED_DATA_DIR": str(self.folder),
            "WORKER_PORT": "0",
            "EXACT_CUT": exact,
            "CLIP_PREFIX": self.prefix,
            "BATCH_SIZE": "1000",
        }

    def __enter__(self):
        migrate = [PROGRAM, "migrate"]
        subprocess.run(migrate, env=self.environment, check=True, stdout=subprocess.DEVNULL)
        self.database = sqlite3.connect(self.folder / "cctv.sqlite", isolation_level=None, timeout=30)
        host, _, port = self.site.recorder.removeprefix("http://").partition(":")
        self.database.execute(
            "INSERT INTO cameras (id, host, port, username, password_encrypted, time_mode)"
            " VALUES (1, ?, ?, ?, ?, 'utc')",
            (host, int(port), self.site.user, self.password),
        )
        log = (self.folder / "log").open("w")
        self.process = subprocess.Popen([PROGRAM, "serve"], env=self.environment, stderr=log)
        self.address = self._listening()
        self.make(60.3)  # Uncounted.
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def make(self, at: float) -> Made:
        start = self.site.begun + timedelta(seconds=at)
        times = [start.isoformat(), (start + timedelta(seconds=CLIP)).isoformat()]
        spent, taken, begun = self._cpu(), self._taken(), time.monotonic()
        item = self.database.execute(
            "INSERT INTO packing_items (camera_id, start_time, end_time, status)"
            " VALUES (1, ?, ?, 'READY_FOR_BATCH') RETURNING id",
            times,
        ).fetchone()[0]
        key = f"{self.prefix}/{start:%Y/%m/%d}/{item}.mp4"
        path = self.site.store / BUCKET / key
        while not path.exists():
            time.sleep(0.005)
        visible = time.time()
        sql = "SELECT status, error FROM packing_items WHERE id = ?"
        while True:
            status, error = self.database.execute(sql, (item,)).fetchone()
            if status == "CLIP_GENERATED":
                break
            if status == "CLIP_FAILED":
                raise SystemExit(f"compare: {error}")
            time.sleep(0.01)
        cost = (self._cpu() - spent, time.monotonic() - begun, self._peak())
        return self.site.measured(at, cost, key, visible, self._taken() - taken)

    def _taken(self) -> int:
        """The bytes that it has read of recordings."""
        with urllib.request.urlopen(f"{self.address}/metrics") as answer:
            text = answer.read().decode()
        found = re.search(r'^flatbed_bytes_total\{.*direction="in".*\} (\d+)$', text, re.MULTILINE)
        return int(found[1]) if found else 0

    def _listening(self) -> str:
        """Where it listens, once it does."""
        log = self.folder / "log"
        while not (found := re.search(r"listening on (http://\S+)", log.read_text())):
            if self.process.poll() is not None:
                raise SystemExit(f"compare: {log.read_text()}")
            time.sleep(0.01)
        return found[1]

    def _cpu(self) -> float:
        if not hasattr(self, "process"):
            return 0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def _peak(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def before(site: Site, at: float, mode: str) -> Made:
    start = site.begun + timedelta(seconds=at)
    end = start + timedelta(seconds=CLIP)
    key = f"before/{mode}-{at:.0f}.mp4"
    path = site.store / BUCKET / key
    with tempfile.TemporaryDirectory(dir=site.folder) as folder:
        script = str(Path(__file__).with_name("cctv_before.py"))
        argv = [PYTHON, script, site.recorder, site.user, site.password]
        argv += [start.isoformat(), end.isoformat(), folder, site.endpoint, BUCKET, key, mode]
        cost = run(Command(BEFORE, argv, path))
    return site.measured(at, (cost.cpu, cost.wall, cost.peak), key, path.stat().st_mtime)


def start(argv) -> subprocess.Popen:
    return subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True)


def recording() -> Path:
    """Half an hour as a program stream; made once. Without B-frames, as recorders have
    it: ffmpeg's program streams do not tell when each of those is shown."""
    path = CACHE / "compare-media" / "half-hour-recorder.mpg"
    if not path.exists():
        print(f"compare: making {path}", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        minute, draft = path.with_name("recorder-minute.ts"), path.with_suffix(".part")
        ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
        subprocess.run([*ffmpeg, *media.PICTURE, "-bf", "0", str(minute)], check=True)
        rounds = ["-stream_loop", str(LENGTH // 60 - 1), "-i", str(minute)]
        copied = ["-map", "0:v", "-c", "copy", "-f", "vob", str(draft)]
        subprocess.run([*ffmpeg, *rounds, *copied], check=True)
        draft.rename(path)
    return path


if __name__ == "__main__":
    sys.exit(main())
