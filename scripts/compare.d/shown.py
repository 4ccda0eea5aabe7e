"""How many frames a player shows of a file.

Both ends of a file, where the cuts are, are decoded and the frames counted. In
between, the packets are counted that the edit lists do not hide: decoding them
all would take several times as long as the whole comparison.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Seconds decoded at each end; a file not much longer is decoded whole.
END = 6


@dataclass(frozen=True)
class Shown:
    frames: int
    complaints: int
    """Lines that the decoder wrote about errors."""


def count(path: Path) -> Shown:
    packets, _ = _probe(path, "packet=flags")
    told, _ = _probe(path, "stream=duration")
    duration = float(told["streams"][0]["duration"])
    ends = f"%+{END},{duration - END}%" if duration > 3 * END else "%"
    decoded, complaints = _probe(path, "packet=flags:frame=pts", "-read_intervals", ends)
    # Asked for both, ffprobe mixes packets and frames in one list.
    both = decoded["packets_and_frames"]
    frames = sum(entry["type"] == "frame" for entry in both)
    at_ends = [entry for entry in both if entry["type"] == "packet"]
    return Shown(_not_hidden(packets["packets"]) - _not_hidden(at_ends) + frames, complaints)


def _not_hidden(packets: list[dict]) -> int:
    return sum("D" not in packet["flags"] for packet in packets)


def _probe(path: Path, entries: str, *options: str) -> tuple[dict, int]:
    """What ffprobe tells of the video, and how many lines it complained."""
    argv = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", entries]
    argv += [*options, "-of", "json", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return json.loads(done.stdout), len(done.stderr.splitlines())
