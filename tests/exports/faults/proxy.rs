//! A way to a server that loses answers when it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

pub struct Proxy {
    pub url: String,
    deaf: Arc<AtomicBool>,
}

impl Proxy {
    /// In front of the server at `url`, as `redis://127.0.0.1:6379`.
    pub fn before(url: &str) -> Self {
        let server = url.trim_start_matches("redis://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let deaf = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&deaf);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).expect("the server");
                let there = (client.try_clone(), server.try_clone());
                let (Ok(from), Ok(to)) = there else { return };
                thread::spawn(move || pass(from, to, |_| true));
                let deaf = Arc::clone(&shared);
                thread::spawn(move || pass(server, client, |_| !deaf.load(Ordering::SeqCst)));
            }
        });
        Self {
            url: format!("redis://{address}"),
            deaf,
        }
    }

    /// From now on no answer comes through; what is asked does.
    pub fn lose_answers(&self) {
        self.deaf.store(true, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, wanted: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        if wanted(bytes) && to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
