//! The stand-in itself, asked by another client than ours.

use serde_json::Value;

use crate::support::eposh::{EposhServer, Face, TOKEN, face, groups, zones};

fn answer(url: &str, token: Option<&str>) -> (u16, String, Vec<u8>) {
    let mut curl = std::process::Command::new("curl");
    curl.args([
        "--silent",
        "--noproxy",
        "*",
        "--write-out",
        "\n%{http_code} %{content_type}",
    ]);
    if let Some(token) = token {
        curl.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = curl
        .arg(url)
        .output()
        .expect("curl starts (apt-get install curl)");
    assert!(output.status.success(), "{url}");
    let end = output.stdout.iter().rposition(|&byte| byte == b'\n');
    let (body, told) = output.stdout.split_at(end.expect("a status"));
    let told = String::from_utf8_lossy(told);
    let (status, media_type) = told.trim().split_once(' ').expect("a media type");
    (
        status.parse().expect("a status"),
        media_type.to_owned(),
        body.to_vec(),
    )
}

#[test]
fn pages_want_the_token() {
    let server = EposhServer::start([("2026-01-01", 101), ("2026-01-02", 1)]);
    let url = format!("{}?date=2026-01-01&page=2", server.url());
    assert_eq!(answer(&url, None).0, 401);
    assert_eq!(answer(&url, Some("another")).0, 401);
    let (status, _, body) = answer(&url, Some(TOKEN));
    assert_eq!(status, 200);
    let page: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(page["data"][0], server.person(100));
    assert_eq!(page["pagination"]["last_page"], 2);
    assert_eq!(answer(&server.url(), Some(TOKEN)).0, 422);
}

#[test]
fn photos_are_what_they_are_said_to_be() {
    let server = EposhServer::start([("2026-01-01", 40)]);
    let mut kinds = Vec::new();
    for number in server.all() {
        let person = server.person(number);
        let link = person["photo"]["link"].as_str();
        let face = face(number);
        assert_eq!(link.is_none(), face == Face::None);
        let Some(link) = link.filter(|_| !kinds.contains(&face)) else {
            continue;
        };
        kinds.push(face);
        let (status, media_type, body) = answer(link, None);
        let begins: (u16, &str, &[u8]) = match face {
            Face::Png => (200, "image/png", b"\x89PNG"),
            Face::Jpeg => (200, "image/jpeg", b"\xff\xd8\xff"),
            Face::WebP => (200, "image/webp", b"RIFF"),
            Face::Page => (200, "text/html", b"<!doctype"),
            Face::Gone | Face::None => (404, "text/html", b"<title>"),
        };
        assert_eq!((status, &*media_type), (begins.0, begins.1), "{number}");
        assert!(body.starts_with(begins.2), "{number}");
    }
    assert_eq!(kinds.len(), 5);
}

#[test]
fn groups_follow_from_zones() {
    assert_eq!(zones(2).len(), 3);
    assert_eq!(groups(2), ["1", "2", "6"]);
    assert_eq!(groups(17), ["9", "1", "2"]);
    let unknown: Vec<usize> = (0..120)
        .filter(|&n| groups(n).len() < zones(n).len())
        .collect();
    assert_eq!(unknown, [29, 69, 109]);
}
