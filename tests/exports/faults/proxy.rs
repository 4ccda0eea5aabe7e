//! A way to a server that loses answers from a certain one on, or all that is said.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::queue::fixture::address_of;

pub struct Proxy {
    pub url: String,
    losing: Arc<Losing>,
}

#[derive(Default)]
struct Losing {
    from: OnceLock<String>,
    begun: AtomicBool,
    cut: AtomicBool,
}

impl Proxy {
    /// In front of the server at `url`, which is on loopback.
    pub fn before(url: &str) -> Self {
        let server = address_of(url);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let losing = Arc::<Losing>::default();
        let shared = Arc::clone(&losing);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(server).expect("the server");
                let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
                    return;
                };
                let losing = Arc::clone(&shared);
                thread::spawn(move || pass(from, to, |_| !losing.is_cut()));
                let losing = Arc::clone(&shared);
                thread::spawn(move || pass(server, client, |bytes| losing.lets_through(bytes)));
            }
        });
        let mut url: url::Url = url.parse().expect("an address");
        url.set_port(Some(address.port())).expect("it has a port");
        Self {
            url: url.into(),
            losing,
        }
    }

    /// From now on nothing comes through, either way.
    pub fn cut(&self) {
        self.losing.cut.store(true, Ordering::SeqCst);
    }

    /// From the answer on that has `words` in it none comes through; what is asked
    /// does.
    pub fn lose_answers_from(&self, words: &str) {
        self.losing.from.set(words.to_owned()).expect("once");
    }
}

impl Losing {
    fn lets_through(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        if self.from.get().is_some_and(|words| text.contains(words)) {
            self.begun.store(true, Ordering::SeqCst);
        }
        !self.begun.load(Ordering::SeqCst) && !self.is_cut()
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, wanted: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        if wanted(bytes) && to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
