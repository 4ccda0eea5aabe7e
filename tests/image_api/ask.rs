//! Requests for images, whole and half.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::exports::{Answer, Server};
use crate::support::{Folder, wait_until};

/// Asks with `curl`; the answer's head, and its body as bytes.
pub fn ask(server: &Server, arguments: &[&str]) -> (Answer, Vec<u8>) {
    let folder = Folder::empty();
    let body = folder.path("body");
    let name = body.display().to_string();
    let mut all = vec!["--no-include", "--dump-header", "-", "--output", &name];
    all.extend(arguments);
    let mut answer = server.curl(&all, "/api/images");
    let body = fs::read(body).unwrap_or_default();
    answer.text = String::from_utf8_lossy(&body).into_owned();
    (answer, body)
}

/// Uploads `image` with these fields.
pub fn upload(
    server: &Server,
    image: &[u8],
    fields: &[&str],
    headers: &[&str],
) -> (Answer, Vec<u8>) {
    let folder = Folder::empty();
    folder.write("photo", image);
    let form = format!(
        "file=@{};filename=photo.jpg",
        folder.path("photo").display()
    );
    let mut arguments = vec!["-F", &form];
    for field in fields {
        arguments.extend(["-F", field]);
    }
    for header in headers {
        arguments.extend(["-H", header]);
    }
    ask(server, &arguments)
}

/// Asks with JSON.
pub fn post(server: &Server, body: &Value) -> (Answer, Vec<u8>) {
    let text = body.to_string();
    let arguments = [
        "-H",
        "Content-Type: application/json",
        "--data-binary",
        &text,
    ];
    ask(server, &arguments)
}

/// The id of a job that must have been taken.
#[track_caller]
pub fn taken(server: &Server, answer: &Answer) -> String {
    assert_eq!(answer.code, 202, "{answer:?}\n{}", server.log());
    let id = answer.field("id");
    assert_eq!(answer.header("location"), format!("/api/images/{id}"));
    assert_eq!(answer.field("jobId"), id);
    id
}

/// Waits until the job has this status.
pub fn wait_for(server: &Server, id: &str, status: &str) -> Value {
    let mut last = Value::Null;
    wait_until(&format!("{id} to be {status}"), || {
        last = server.get(&format!("/api/images/{id}")).json();
        let ended = ["completed", "failed", "cancelled"].map(Value::from);
        let is_so = last["status"] == status;
        assert!(
            is_so || !ended.contains(&last["status"]),
            "{last}\n{}",
            server.log()
        );
        is_so
    });
    last
}

/// The WebP that a finished job made.
pub fn fetched(server: &Server, id: &str) -> Vec<u8> {
    let answer = server.get(&format!("/api/images/{id}/download"));
    assert_eq!(answer.code, 200, "{answer:?}");
    let folder = Folder::empty();
    let file = folder.path("image.webp");
    server.fetch(answer.json()["url"].as_str().expect("a link"), &file);
    fs::read(file).expect("a file")
}

/// What `ffprobe` says of an image: as `webp,640,480,yuv420p`.
pub fn told(image: &[u8]) -> String {
    let folder = Folder::empty();
    folder.write("image.webp", image);
    crate::images::photos::told(&folder.path("image.webp"))
}

/// An upload that is not sent to its end.
pub struct Half(TcpStream);

const END: &[u8] = b"\r\n--b--\r\n";

impl Half {
    /// The head, and so much of the image; `of` bytes are promised.
    pub fn begin(server: &Server, part: &[u8], of: usize) -> Self {
        let address = server.url("");
        let address = address.strip_prefix("http://").expect("an address");
        let mut stream = TcpStream::connect(address).expect("a connection");
        let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; \
                    filename=\"photo.jpg\"\r\n\r\n";
        let length = form.len() + of + END.len();
        let head = format!(
            "POST /api/images HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n{form}"
        );
        stream.write_all(head.as_bytes()).expect("it is taken");
        stream.write_all(part).expect("it is taken");
        Self(stream)
    }

    /// More of it; `false` once nobody takes it.
    pub fn send(&mut self, part: &[u8]) -> bool {
        self.0.write_all(part).is_ok()
    }

    /// The form's end.
    pub fn end(&mut self) {
        self.0.write_all(END).expect("it is taken");
    }

    /// All of the answer.
    pub fn answer(mut self) -> String {
        let mut answer = Vec::new();
        // What was sent and not read ends the connection with an error, behind it.
        let _ = self.0.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// How many bytes of a body were promised behind the first line, and how many came.
    pub fn rest(mut self) -> (usize, usize) {
        let mut answer = Vec::new();
        let _ = self.0.read_to_end(&mut answer);
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let end = end.expect("the end of the head");
        let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.expect("a length").parse().expect("a number");
        (length, answer.len() - end - 4)
    }

    /// The first line of the answer alone, and no more of it.
    pub fn first_bytes(&mut self) -> String {
        let mut bytes = [0; 15];
        self.0.read_exact(&mut bytes).expect("an answer");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Half {
    /// One that does not say how much it will be.
    pub fn chunked(server: &Server) -> Self {
        let mut half = Self::chunked_to(server, "/api/images");
        half.chunk(
            b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n",
        );
        half
    }

    /// The same, and nothing of the form yet.
    pub fn chunked_to(server: &Server, path: &str) -> Self {
        let address = server.url("");
        let address = address.strip_prefix("http://").expect("an address");
        let mut stream = TcpStream::connect(address).expect("a connection");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\
             content-type: multipart/form-data; boundary=b\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("it is taken");
        Self(stream)
    }

    /// More of it, as a chunk.
    pub fn chunk(&mut self, part: &[u8]) -> bool {
        let head = format!("{:x}\r\n", part.len());
        self.send(head.as_bytes()) && self.send(part) && self.send(b"\r\n")
    }
}
