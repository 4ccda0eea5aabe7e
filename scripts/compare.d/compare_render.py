"""Rendering, stills and sprites: Flatbed beside the ffmpeg command line."""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import media
from about import PROGRAM, about
from contest import FLATBED, HEAD, Contest, arguments, run, told, verdict
from measure import Command
from table import markdown

CACHE = Path(os.environ["FLATBED_CACHE"])
# The peers, as the table names them.
CHAIN, ONE = "ffmpeg, a command each", "ffmpeg, one command"
TEN, DECODE = "ffmpeg, ten commands", "ffmpeg, bare decode of the pictures"
TRANSCODE = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "1M", "-c:a", "copy"]
SECONDS = 60


def main() -> int:
    options = arguments("render")
    recordings = media.make(CACHE)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="compare-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        work = Workloads(recordings, folder.resolve(), options.rounds)
        contests = [work.chain(), work.transcode(), work.thumbnails(), work.sprite()]
        print(about())
        rows, failures = run(contests)
        print(markdown(HEAD, rows), flush=True)
        if not failures:
            work.judge()
    return told(failures)


class Workloads:
    def __init__(self, recordings: media.Media, folder: Path, rounds: int):
        self.source = str(recordings.ten_minutes)
        self.minute = str(recordings.ten_minutes.with_name("minute.mp4"))
        self.folder = folder
        self.rounds = rounds

    def chain(self) -> Contest:
        """Each command of the chain encodes once more, as quickly as the last."""
        mark = self.folder / "mark.png"
        source = ["-f", "lavfi", "-i", "color=red@0.5:size=200x100,format=rgba"]
        subprocess.run(ffmpeg(*source, "-frames:v", "1", str(mark)), check=True)
        at = [5, 15, 25]
        operations = [
            {"type": "trim", "options": {"start": 31, "duration": 30}},
            {"type": "watermark", "options": {"image": str(mark), "position": "top-right"}},
            {
                "type": "transcode",
                "options": {"resolution": "x720", "bitrate": "1M", "preset": "veryfast"},
            },
            {"type": "thumbnail", "options": {"timestamps": at, "size": "320x"}},
        ]
        list_of_operations = self.folder / "operations.json"
        list_of_operations.write_text(json.dumps(operations))
        ours = self.folder / "chain-flatbed"
        trimmed, marked, video = (self.folder / f"chain-{n}.mp4" for n in (1, 2, 3))
        quick = ["-c:v", "libx264", "-preset", "veryfast", "-c:a", "copy"]
        overlay = ["-filter_complex", "overlay=W-w-10:10"]
        steps = [
            ffmpeg("-ss", "31", "-i", self.source, "-t", "30", *quick, str(trimmed)),
            ffmpeg("-i", str(trimmed), "-i", str(mark), *overlay, *quick, str(marked)),
            ffmpeg("-i", str(marked), "-vf", "scale=-2:720", *TRANSCODE, str(video)),
            *(self._thumbnail(str(video), second, f"chain-{second}") for second in at),
        ]
        commands = [
            Command(
                FLATBED,
                [
                    *(PROGRAM, "render", self.source, "--ops", str(list_of_operations)),
                    *("-o", str(ours), "--force", "--quiet"),
                ],
                ours / "video.mp4",
            ),
            Command(CHAIN, ["sh", "-c", " && ".join(map(shlex.join, steps))], video),
        ]
        work = "trim 30 s, watermark, 720p at 1 Mb/s, 3 thumbnails"
        return Contest(work, [commands] * self.rounds, frames=750, ratios={CHAIN: 0.40})

    def transcode(self) -> Contest:
        self.ours, self.theirs = self.folder / "flatbed.mp4", self.folder / "ffmpeg.mp4"
        commands = [
            Command(
                FLATBED,
                [
                    *(PROGRAM, "transcode", self.minute, "--resolution", "x720"),
                    *("--bitrate", "1M", "--preset", "veryfast", "--quiet"),
                    *("-o", str(self.ours)),
                ],
                self.ours,
            ),
            Command(
                ONE,
                ffmpeg("-i", self.minute, "-vf", "scale=-2:720", *TRANSCODE, str(self.theirs)),
                self.theirs,
            ),
        ]
        work = f"transcode {SECONDS} s of 1080p to 720p, veryfast, 1 Mb/s"
        return Contest(work, [commands] * self.rounds, frames=1500, ratios={ONE: 0.90})

    def thumbnails(self) -> Contest:
        # In the middle of ten equal parts, which is between two keyframes.
        at = [30 + 60 * n + 0.6 for n in range(10)]
        ours = self.folder / "thumbnails"
        times = [argument for second in at for argument in ("--at", str(second))]
        steps = [self._thumbnail(self.source, s, f"ten-{n}") for n, s in enumerate(at)]
        commands = [
            Command(
                FLATBED,
                [
                    *(PROGRAM, "thumbnail", self.source, *times, "--size", "320x"),
                    *("--force", "--quiet", "-o", str(ours)),
                ],
            ),
            Command(TEN, ["sh", "-c", " && ".join(map(shlex.join, steps))]),
        ]
        work = "10 thumbnails over 10 minutes of 1080p"
        return Contest(work, [commands] * self.rounds, frames=10, ratios={TEN: 0.20})

    def sprite(self) -> Contest:
        ours = self.folder / "sprites"
        commands = [
            Command(
                FLATBED,
                [
                    *(PROGRAM, "sprite", self.source, "--every", "10s", "--tile", "5x5"),
                    *("--width", "160", "--force", "--quiet", "-o", str(ours)),
                ],
            ),
            Command(DECODE, ffmpeg("-i", self.source, "-an", "-f", "null", "-")),
        ]
        work = "sprite sheets of 10 minutes, a tile each 10 s"
        return Contest(work, [commands] * self.rounds, frames=60, ratios={DECODE: 0.10})

    def _thumbnail(self, source: str, second: float, name: str) -> list[str]:
        picture = self.folder / f"{name}.jpg"
        size = ["-frames:v", "1", "-vf", "scale=320:-2"]
        return ffmpeg("-ss", str(second), "-i", source, *size, str(picture))

    def judge(self) -> None:
        """Prints how good and how large the transcoded minutes are.

        Scaled up again and held against the recording as it is: a reference that
        one of the two scalers made would favour whoever uses that scaler.
        """
        print("\nThe transcoded minutes, scaled up by ffmpeg, against the recording:\n")
        ours, theirs = (self._quality(path) for path in (self.ours, self.theirs))
        size = ours[1] / theirs[1]
        rows = [
            [FLATBED, f"{ours[0]:.4f}", str(ours[1]), verdict(ours[0] >= theirs[0] - 5e-5)],
            [ONE, f"{theirs[0]:.4f}", str(theirs[1]), verdict(abs(size - 1) <= 0.02)],
        ]
        print(markdown(["tool", "SSIM:", "bytes:", "SSIM not lower; size within 2 %"], rows))

    def _quality(self, path: Path) -> tuple[float, int]:
        graph = "[0:v][1:v]scale2ref[up][recording];[up][recording]ssim"
        command = ["ffmpeg", "-nostdin", "-i", str(path), "-i", self.minute]
        command += ["-filter_complex", graph, "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        ssim = float(re.search(r"All:([0-9.]+)", done.stderr).group(1))
        return ssim, path.stat().st_size


def ffmpeg(*arguments: str) -> list[str]:
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]


if __name__ == "__main__":
    sys.exit(main())
