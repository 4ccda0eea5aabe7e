"""Two clients that others wrote, against the recorder at argv[2] (host:port).

hikvisionapi: opens with Basic, then Digest; asks what the device is, and searches.
hikload: HikLoad's own search and download of every recording of a day.
Prints one JSON object.
"""
import json
import sys


def by_hikvisionapi(address, user, password):
    from hikvisionapi import Client

    device = Client(f"http://{address}", user, password, timeout=30)
    search = """<?xml version="1.0" encoding="utf-8"?>
        <CMSearchDescription><searchID>C7A0F1C2-1D50-0001-8F7A-9D10C3E01B10</searchID>
        <trackIDList><trackID>101</trackID></trackIDList><timeSpanList><timeSpan>
        <startTime>2026-07-24T00:00:00Z</startTime><endTime>2026-07-24T23:59:59Z</endTime>
        </timeSpan></timeSpanList><maxResults>40</maxResults>
        <searchResultPostion>0</searchResultPostion></CMSearchDescription>"""
    found = device.ContentMgmt.search(method="post", data=search)["CMSearchResult"]
    items = found["matchList"]["searchMatchItem"]
    uri = items[0]["mediaSegmentDescriptor"]["playbackURI"].replace("&", "&amp;")
    request = f"<downloadRequest><playbackURI>{uri}</playbackURI></downloadRequest>"
    answer = device.ContentMgmt.download(method="get", data=request, type="opaque_data")
    return {
        "model": device.System.deviceInfo(method="get")["DeviceInfo"]["model"],
        "zone": device.System.time(method="get")["Time"]["timeZone"],
        "matches": int(found["numOfMatches"]),
        "first": sum(len(piece) for piece in answer.iter_content(65536)),
    }


def by_hikload(address, user, password):
    import hikload.hikvisionapi as hikvisionapi

    device = hikvisionapi.HikvisionServer(address, user, password)
    device.test_connection()
    channels = device.Streaming.getChannels()["StreamingChannelList"]["StreamingChannel"]
    tracks = [one["id"] for one in channels if int(one["id"]) % 10 == 1]
    search = device.ContentMgmt.search
    found = search.getPastRecordingsForID(
        tracks[0], "2026-07-24T00:00:00Z", "2026-07-24T23:59:59Z"
    )["CMSearchResult"]
    items = found["matchList"]["searchMatchItem"]
    uris = sorted({one["mediaSegmentDescriptor"]["playbackURI"] for one in items})
    sizes = [len(search.downloadURI(uri).content) for uri in uris]
    nothing = search.getPastRecordingsForID(
        tracks[1], "2026-07-24T00:00:00Z", "2026-07-24T23:59:59Z"
    )["CMSearchResult"]
    return {
        "tracks": tracks,
        "files": len(uris),
        "bytes": sum(sizes),
        "nothing": nothing["numOfMatches"],
    }


clients = {"hikvisionapi": by_hikvisionapi, "hikload": by_hikload}
print(json.dumps(clients[sys.argv[1]](*sys.argv[2:5])))
