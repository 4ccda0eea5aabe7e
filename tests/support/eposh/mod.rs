//! Eposh in this process: people by day and page, their photos, the token, faults by
//! script, and a log of what was asked. Who somebody is follows from a number.
//!
//! | file | what it does |
//! |---|---|
//! | `people.rs` | who there is, and what is odd about some of them |
//! | `photos.rs` | pictures that ffmpeg makes |
//! | `serve.rs` | requests as they come: faults, the token, pages, photos |
#![allow(dead_code, unused_imports, reason = "no test has all of its ways")]

mod people;
mod photos;
mod serve;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use jiff::civil::Date;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

pub use people::{Face, face, groups, kib_number, name, zones};
pub use photos::picture;

/// People on a page.
pub const PAGE: usize = 100;

/// What `EPOSH_API_TOKEN` is set to.
pub const TOKEN: &str = "eposh-hunter2";

/// A server; it ends when it is dropped.
pub struct EposhServer {
    state: Arc<State>,
    running: Option<Runtime>,
}

struct State {
    address: SocketAddr,
    /// How many people there are on each day.
    days: Vec<(Date, usize)>,
    faults: Mutex<VecDeque<(String, Fault)>>,
    seen: Mutex<Vec<Seen>>,
}

/// A request, and how it was answered.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub status: u16,
}

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This status, these headers and this body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// The connection is closed without an answer.
    Cut,
    /// Half of the answer comes.
    CutHalf,
    /// The answer comes after so long.
    Slow(Duration),
    /// Nothing ever comes.
    Hang,
    /// Half of the answer comes, and then nothing, with the connection open.
    Stall,
    /// 401, in words that repeat the token.
    Echo,
    /// JSON without an end, as long as anybody reads.
    Endless,
}

impl Fault {
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    /// 200, with this body.
    pub fn body(body: &str) -> Self {
        Self::Answer(200, Vec::new(), body.to_owned())
    }

    /// 429, to come again after so many seconds.
    pub fn rate_limited(seconds: &str) -> Self {
        let message = r#"{"message":"Too Many Attempts."}"#.to_owned();
        Self::Answer(429, vec![("retry-after", seconds.to_owned())], message)
    }
}

impl EposhServer {
    /// On any port of loopback, with so many people on each day.
    pub fn start<'a>(days: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let days = days.into_iter();
        let days = days.map(|(day, people)| (day.parse().expect("a date"), people));
        Self::with(days.collect())
    }

    /// The requirement's example: 1 to 19 January 2026 without the 2nd and the 5th,
    /// 1,543 people, a page each day. On the days that are left out there are others,
    /// who are to be left out.
    pub fn january() -> Self {
        let day = |day| Date::new(2026, 1, day).expect("a date");
        let people = |number: i8| match number {
            2 | 5 => 7,
            19 => 1543 - 16 * 91,
            _ => 91,
        };
        Self::with(
            (1..=19)
                .map(|number| (day(number), people(number)))
                .collect(),
        )
    }

    fn with(days: Vec<(Date, usize)>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let state = Arc::new(State {
            address: listener.local_addr().expect("an address"),
            days,
            faults: Mutex::default(),
            seen: Mutex::default(),
        });
        let running = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let serving = Arc::clone(&state);
        running.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            serve::listen(listener, serving).await;
        });
        Self {
            state,
            running: Some(running),
        }
    }

    /// What `EPOSH_API_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://{}/api/inductions", self.state.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.state.address
    }

    /// The numbers of the people of a day, as [`Self::person`] and [`kib_number`] take
    /// them; none on a day that it does not know.
    pub fn numbers(&self, date: Date) -> std::ops::Range<usize> {
        self.state.numbers(date)
    }

    /// Everybody's, over all days.
    pub fn all(&self) -> std::ops::Range<usize> {
        0..self.state.days.iter().map(|(_, people)| people).sum()
    }

    /// Somebody, as the pages have it.
    pub fn person(&self, number: usize) -> Value {
        people::person(number, self.state.address)
    }

    /// The next requests whose path and query contain this meet these faults, one each.
    pub fn fail(&self, part: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (part.to_owned(), fault));
        lock(&self.state.faults).extend(faults);
    }

    /// The faults that nobody met.
    pub fn faults_left(&self) -> usize {
        lock(&self.state.faults).len()
    }

    /// The requests since the last call, as they were answered.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.state.seen))
    }
}

impl State {
    fn numbers(&self, date: Date) -> std::ops::Range<usize> {
        let mut first = 0;
        for &(day, people) in &self.days {
            if day == date {
                return first..first + people;
            }
            first += people;
        }
        0..0
    }
}

impl Drop for EposhServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
