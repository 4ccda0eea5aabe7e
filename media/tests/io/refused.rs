//! Inputs that would make a demuxer open something else.

use std::fs;

use flatbed_media::cut::Options;
use flatbed_media::{Error, Input};

use super::{Folder, bytes, frames};
use crate::fixture::Source;

#[test]
fn a_name_like_a_protocol_is_a_name() {
    let fixture = Source::new().build();
    // The names are taken as they are: relative ones, from the folder of the test.
    for name in [
        "concat:a.mp4|b.mp4",
        "http://127.0.0.1:9/clip.mp4",
        "pipe:0",
        "data:video/mp4;base64,AAAA",
        "subfile,,start,0,end,100,,:/etc/hostname",
        "crypto:clip.mp4",
    ] {
        let folder = Folder::new();
        let error = folder
            .cut(Input::path(name), "clip.mp4", &Options::default())
            .expect_err(name);
        let Error::Io { source, .. } = &error else {
            panic!("{name}: {error:?}")
        };
        assert_eq!(source.kind(), std::io::ErrorKind::NotFound, "{name}");
    }
    // A file with such a name is a file.
    let (folder, place) = (Folder::new(), Folder::new());
    for name in [
        "concat:a|b.mp4",
        "http:x.mp4",
        "pipe:1",
        "-i",
        "a%03d.mp4",
        "ü b\n.mp4",
    ] {
        let path = place.file(name);
        fs::copy(&fixture.path, &path).expect("it can be copied");
        let result = folder.cut(Input::path(&path), "clip.mp4", &frames(10, 20));
        assert_eq!(result.expect(name).frames, 10, "{name}");
    }
}

#[test]
fn an_output_with_such_a_name_is_a_file() {
    let fixture = Source::new().build();
    for name in [
        "concat:a.mp4",
        "http:x.mp4",
        "pipe:1.mp4",
        "-y.mp4",
        "a%03d.ts",
        "tee:x|y.mkv",
    ] {
        let folder = Folder::new();
        let result = folder.cut(Input::path(&fixture.path), name, &frames(10, 20));
        assert_eq!(result.expect(name).frames, 10, "{name}");
    }
}

#[test]
fn playlists_and_lists_are_no_media() {
    let fixture = Source::new().container("ts").build();
    let folder = Folder::new();
    let segment = folder.file("segment.ts");
    fs::copy(&fixture.path, &segment).expect("it can be copied");
    let segment = segment.display();
    let lists = [
        (
            "list.m3u8",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n{segment}\n#EXT-X-ENDLIST\n"),
        ),
        (
            "list.ffconcat",
            format!("ffconcat version 1.0\nfile '{segment}'\n"),
        ),
        ("list.txt", format!("file '{segment}'\n")),
        (
            "list.mpd",
            format!(
                "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
                 mediaPresentationDuration=\"PT4S\"><Period><AdaptationSet><Representation id=\"1\" \
                 bandwidth=\"1\"><BaseURL>{segment}</BaseURL></Representation></AdaptationSet>\
                 </Period></MPD>"
            ),
        ),
        (
            "list.sdp",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n\
             m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
                .to_owned(),
        ),
    ];
    for (name, text) in lists {
        let list = folder.file(name);
        fs::write(&list, &text).expect("it can be written");
        for input in [Input::path(&list), Input::bytes(name, text.into_bytes())] {
            let place = Folder::new();
            let error = place
                .cut(input, "clip.mp4", &Options::default())
                .expect_err(name);
            assert!(
                matches!(error, Error::Malformed { .. }),
                "{name}: {error:?}"
            );
        }
    }
}

/// Turns the data reference of every track, "in this file", into one to another file: a `url `
/// box with a location in place of its flag. The boxes in front grow by as much.
fn with_external_data(data: &[u8], target: &str) -> Vec<u8> {
    let own = b"\x00\x00\x00\x0curl \x00\x00\x00\x01";
    let mut other = Vec::new();
    other.extend((12 + target.len() as u32 + 1).to_be_bytes());
    other.extend(b"url \x00\x00\x00\x00");
    other.extend(target.as_bytes());
    other.push(0);
    let mut data = data.to_vec();
    let mut from = 0;
    while let Some(at) = find(&data[from..], own).map(|at| at + from) {
        let growth = (other.len() - own.len()) as u32;
        data.splice(at..at + own.len(), other.iter().copied());
        for kind in [b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"] {
            // The nearest box of this kind in front is the one around.
            let name = data[..at]
                .windows(4)
                .rposition(|name| name == kind)
                .expect("a parent");
            let size = u32::from_be_bytes(data[name - 4..name].try_into().expect("four bytes"));
            data[name - 4..name].copy_from_slice(&(size + growth).to_be_bytes());
        }
        from = at + other.len();
    }
    assert!(from > 0, "a track refers to its own file");
    data
}

fn find(data: &[u8], part: &[u8]) -> Option<usize> {
    data.windows(part.len()).position(|window| window == part)
}

#[test]
fn an_mp4_does_not_read_other_files() {
    // The index behind: sample offsets stay right although it grows.
    let fixture = Source::new().build();
    let folder = Folder::new();
    let secret = folder.file("secret.mp4");
    fs::copy(&fixture.path, &secret).expect("it can be copied");
    let target = format!("file://{}", secret.display());
    for target in [
        &target,
        &secret.display().to_string(),
        "http://127.0.0.1:9/x",
    ] {
        let data = with_external_data(&bytes(&fixture), target);
        // Its own samples are gone: only the other file could give any.
        let mdat = find(&data, b"mdat").expect("a box");
        let mut hollow = data.clone();
        let size = u32::from_be_bytes(data[mdat - 4..mdat].try_into().expect("four bytes"));
        hollow[mdat + 4..mdat - 4 + size as usize].fill(0);
        let path = folder.file("reference.mp4");
        fs::write(&path, &hollow).expect("it can be written");
        let place = Folder::new();
        match place.cut(Input::path(&path), "clip.mp4", &Options::default()) {
            Err(_) => {}
            Ok(report) => panic!("{target}: {report:?}"),
        }
    }
}
