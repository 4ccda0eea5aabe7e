"""The recordings that the comparison runs on, made once.

One minute as a camera gives it: 1080p25, H.264 High with B-frames, a keyframe
each 2 s, 4 Mb/s. testsrc2 alone would need a tenth of that; the noise, new in
each frame, makes the rate real, with keyframes about 4 times the size of the
mean frame. The long recordings are that minute over and over, by stream copy;
their sound is encoded in one piece, so that its frames do not have to fit a
minute.
"""

import hashlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PICTURE = [
    *("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25:duration=60,noise=alls=8:allf=t+u"),
    *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high"),
    *("-b:v", "4M", "-maxrate", "6M", "-bufsize", "8M"),
    *("-g", "50", "-keyint_min", "50", "-sc_threshold", "0", "-bf", "3"),
]


def _sound(seconds: int) -> list[str]:
    noise = f"anoisesrc=color=pink:amplitude=0.2:sample_rate=48000:seed=1:duration={seconds}"
    return ["-f", "lavfi", "-i", f"{noise},aformat=channel_layouts=stereo"]


def _looped(minutes: int) -> list[str]:
    return [
        *("-stream_loop", str(minutes - 1), "-i", "minute.mp4", *_sound(60 * minutes)),
        *("-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", "-b:a", "128k"),
    ]


# ffmpeg's arguments, in the folder where the recordings lie; the last is the file.
RECIPE = [
    [*PICTURE, "minute.mp4"],
    [*_looped(1), "-muxdelay", "0", "-muxpreload", "0", "segment-0.ts"],
    [*_looped(10), "ten-minutes.mp4"],
    [*_looped(30), "half-hour.mp4"],
]
SEGMENTS = 10


@dataclass(frozen=True)
class Media:
    segments: list[Path]
    """Ten transport streams of a minute; each starts at its own zero."""
    ten_minutes: Path
    half_hour: Path


def make(cache: Path) -> Media:
    """The recordings; made if this recipe has not been followed yet."""
    key = hashlib.sha256(repr((RECIPE, SEGMENTS)).encode()).hexdigest()[:16]
    folder = cache / "compare-media" / key
    if not folder.exists():
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _follow_recipe(unfinished)
        unfinished.rename(folder)
    return Media(
        segments=[folder / f"segment-{n}.ts" for n in range(SEGMENTS)],
        ten_minutes=folder / "ten-minutes.mp4",
        half_hour=folder / "half-hour.mp4",
    )


def _follow_recipe(folder: Path) -> None:
    started = time.monotonic()
    for arguments in RECIPE:
        print(f"compare: making {folder / arguments[-1]}", file=sys.stderr)
        command = ["ffmpeg", "-nostdin", "-v", "error", *arguments]
        subprocess.run(command, cwd=folder, check=True)
    for n in range(1, SEGMENTS):
        shutil.copyfile(folder / "segment-0.ts", folder / f"segment-{n}.ts")
    print(f"compare: made in {time.monotonic() - started:.0f} s", file=sys.stderr)
