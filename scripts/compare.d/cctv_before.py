"""A clip as the worker for cameras before this one made it: search, download the whole
recordings, merge them, cut, upload.

cctv_before.py RECORDER USER PASSWORD START END FOLDER ENDPOINT BUCKET KEY exact|copy
"""

import subprocess
import sys
import uuid
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import boto3
import requests
from requests.auth import HTTPDigestAuth

ISO = "%Y-%m-%dT%H:%M:%SZ"


def main() -> None:
    recorder, user, password, start, end, folder, endpoint, bucket, key, mode = sys.argv[1:]
    session = requests.Session()
    session.auth = HTTPDigestAuth(user, password)
    start, end = datetime.fromisoformat(start), datetime.fromisoformat(end)
    folder = Path(folder)
    files, first = [], None
    for number, (begun, uri) in enumerate(search(session, recorder, start, end)):
        first = first or begun
        files.append(download(session, recorder, uri, folder / f"segment-{number}.mp4"))
    merged = files[0]
    if len(files) > 1:
        listed = folder / "segments.txt"
        listed.write_text("".join(f"file '{file}'\n" for file in files))
        merged = folder / "merged.mp4"
        ffmpeg("-f", "concat", "-safe", "0", "-i", str(listed), "-c", "copy", str(merged))
    clip = folder / "clip.mp4"
    cut(merged, (start - first).total_seconds(), (end - start).total_seconds(), mode, clip)
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="flatbed",
        aws_secret_access_key="flatbed-secret",
        region_name="auto",
    )
    s3.upload_file(str(clip), bucket, key)
    for file in [*files, clip]:
        file.unlink()


def search(session, recorder: str, start: datetime, end: datetime):
    body = (
        f"<CMSearchDescription><searchID>{uuid.uuid4()}</searchID>"
        "<trackIDList><trackID>101</trackID></trackIDList><timeSpanList><timeSpan>"
        f"<startTime>{start.strftime(ISO)}</startTime><endTime>{end.strftime(ISO)}</endTime>"
        "</timeSpan></timeSpanList><maxResults>40</maxResults>"
        "<searchResultPostion>0</searchResultPostion></CMSearchDescription>"
    )
    answer = session.post(f"{recorder}/ISAPI/ContentMgmt/search", data=body, timeout=30)
    answer.raise_for_status()
    for item in ElementTree.fromstring(answer.content).iter():
        if item.tag.endswith("}searchMatchItem"):
            told = {child.tag.partition("}")[2]: child.text for child in item.iter()}
            begun = datetime.strptime(told["startTime"], ISO).replace(tzinfo=start.tzinfo)
            yield begun, told["playbackURI"]


def download(session, recorder: str, uri: str, file: Path) -> Path:
    body = f"<downloadRequest><playbackURI>{escape(uri)}</playbackURI></downloadRequest>"
    address = f"{recorder}/ISAPI/ContentMgmt/download"
    with session.get(address, data=body, stream=True, timeout=60) as answer:
        answer.raise_for_status()
        with file.open("wb") as out:
            for piece in answer.iter_content(1 << 20):
                out.write(piece)
    return file


def cut(source: Path, start: float, length: float, mode: str, clip: Path) -> None:
    how = ["-c", "copy"]
    if mode == "exact":
        how = ["-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac"]
    seek = ["-ss", f"{start:.3f}", "-i", str(source), "-t", f"{length:.3f}"]
    ffmpeg(*seek, *how, "-movflags", "+faststart", str(clip))


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments], check=True)


if __name__ == "__main__":
    main()
