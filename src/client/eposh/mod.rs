//! Eposh, the HR system that lists the people who were inducted on a day.
//!
//! | file | what it does |
//! |---|---|
//! | [`config`] | where it is, and how it knows us |
//! | [`model`] | a page of people, read as it comes and written as the messages have it |
//! | `exchange.rs` | one page asked for, again where that helps |
//! | `error.rs` | why a page cannot be had |
//!
//! `GET EPOSH_API_URL?date=2026-01-01&page=1`, with `Authorization: Bearer`.
//!
//! - A page that cannot be had for now is asked for again, with growing pauses, for as
//!   long as the settings have patience.
//! - The token goes to that address alone: no redirect is followed.
//! - Answers are bounded in size and time. Errors and `Debug` name no token, no person
//!   and nothing of the address but its host and path.

pub mod config;
mod error;
mod exchange;
pub mod model;

use std::sync::Arc;

use jiff::civil::Date;
use reqwest::Client;
use reqwest::redirect::Policy;

pub use config::Config;
pub use error::{Error, Kind, Result};
pub use model::{BirthDate, Employee, Page, Pagination, Photo, Regional, Unread};

/// The HR system. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Eposh {
    client: Client,
    config: Arc<Config>,
}

impl Eposh {
    /// A client; nothing is asked yet.
    pub fn new(config: Config) -> Result<Self> {
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(config.timeout)
            .timeout(config.timeout)
            .user_agent(concat!("flatbed/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::of_builder(&config, &error))?;
        Ok(Self {
            client,
            config: Arc::new(config),
        })
    }

    /// Host and path of its address, for people.
    pub fn address(&self) -> String {
        self.config.endpoint()
    }

    /// The people of this day, by pages that count from 1. A day without people has one
    /// page that is empty.
    ///
    /// A future that is dropped ends its request.
    pub async fn page(&self, date: Date, page: u32) -> Result<Page> {
        self.ask(date, page).await
    }

    /// Whether it answers, and knows us: one request for this day's first page, not
    /// repeated.
    pub async fn check(&self, date: Date) -> Result<()> {
        self.ask_once(date, 1).await.map(|_| ())
    }
}
