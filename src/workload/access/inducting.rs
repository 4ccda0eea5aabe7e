//! Pages of people from Eposh into the chain's first queue, day by day.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::message::{self, Batch};
use crate::client::eposh::{self, Eposh, Page};
use crate::job::JobId;
use crate::queue::{self, Sink};
use crate::telemetry::{AccessMetrics, PersonStep};

/// The most days of one call.
const MOST_DAYS: usize = 366;

/// The most pages of one day: more is a server that means something else by it.
const MOST_PAGES: u32 = 10_000;

/// The days whose people are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    from: Date,
    to: Date,
    skip: BTreeSet<Date>,
}

impl Days {
    /// From the first to the last, without those in `skip`; else what is wrong.
    pub fn new(from: Date, to: Date, skip: BTreeSet<Date>) -> Result<Self, String> {
        let days = Self { from, to, skip };
        if from > to {
            return Err(format!("from {from} is after to {to}"));
        }
        if from
            .series(jiff::ToSpan::days(1))
            .take_while(|day| *day <= to)
            .take(MOST_DAYS + 1)
            .count()
            > MOST_DAYS
        {
            return Err(format!(
                "from {from} to {to} are more than {MOST_DAYS} days"
            ));
        }
        Ok(days)
    }

    /// The same days, but for others.
    #[must_use]
    pub fn without(self, skip: BTreeSet<Date>) -> Self {
        Self { skip, ..self }
    }

    /// Each of them, in order.
    pub fn each(&self) -> impl Iterator<Item = Date> + '_ {
        let all = self.from.series(jiff::ToSpan::days(1));
        all.take_while(|day| *day <= self.to)
            .filter(|day| !self.skip.contains(day))
    }
}

/// How much was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// People.
    pub employees: usize,
    /// Pages with people on them.
    pub pages: usize,
}

/// Why not all of it was.
#[derive(Debug)]
pub struct Broken {
    /// What was sent before, and stays sent.
    pub sent: Sent,
    /// The day and the page at which it broke off.
    pub at: (Date, u32),
    /// Why.
    pub why: Why,
}

/// Whose fault it was.
#[derive(Debug)]
pub enum Why {
    /// The page cannot be had.
    Eposh(eposh::Error),
    /// What Eposh says cannot be.
    Pages(u32),
    /// It cannot be queued.
    Queue(queue::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, at, why } = self;
        match why {
            // It names both.
            Why::Eposh(error) => write!(f, "{error}")?,
            Why::Pages(last) => write!(
                f,
                "Eposh, {}, page {}: it says there are {last} pages",
                at.0, at.1
            )?,
            Why::Queue(error) => write!(f, "{}, page {}: {error}", at.0, at.1)?,
        }
        write!(
            f,
            "; sent before: {} employees across {} pages, which stay sent; asking again for all \
             of it does no harm",
            sent.employees, sent.pages
        )
    }
}

/// Sends people into the chain. Clones are one: it does one call at a time.
#[derive(Clone)]
pub struct Inductor {
    eposh: Eposh,
    main: Arc<dyn Sink>,
    metrics: AccessMetrics,
    turn: Arc<Mutex<()>>,
}

/// The right to be the only one that inducts.
pub struct Turn(OwnedMutexGuard<()>);

impl Inductor {
    /// From `eposh` into `main`.
    pub fn new(eposh: Eposh, main: Arc<dyn Sink>, metrics: AccessMetrics) -> Self {
        Self {
            eposh,
            main,
            metrics,
            turn: Arc::default(),
        }
    }

    /// The turn, unless somebody has it.
    pub fn turn(&self) -> Option<Turn> {
        Arc::clone(&self.turn).try_lock_owned().ok().map(Turn)
    }

    /// Sends the people of all these days. A repeat sends them again, which changes
    /// nothing further down.
    pub async fn induct(&self, days: &Days, turn: Turn) -> Result<Sent, Broken> {
        let mut sent = Sent::default();
        for day in days.each() {
            self.day(day, &mut sent).await?;
        }
        drop(turn.0);
        Ok(sent)
    }

    async fn day(&self, day: Date, sent: &mut Sent) -> Result<(), Broken> {
        let mut number = 1;
        loop {
            let broken = |sent: &Sent, why| Broken {
                sent: *sent,
                at: (day, number),
                why,
            };
            let page = self.eposh.page(day, number).await;
            let page = page.map_err(|error| broken(sent, Why::Eposh(error)))?;
            let last = page.pagination.last_page;
            if last > MOST_PAGES {
                return Err(broken(sent, Why::Pages(last)));
            }
            let queued = self.page(day, number, &page).await;
            queued.map_err(|error| broken(sent, Why::Queue(error)))?;
            if !page.data.is_empty() {
                sent.employees += page.data.len();
                sent.pages += 1;
            }
            if number >= last {
                return Ok(());
            }
            number += 1;
        }
    }

    async fn page(&self, day: Date, number: u32, page: &Page) -> queue::Result<()> {
        for unread in &page.unread {
            let (place, reason) = (unread.place, &unread.reason);
            tracing::warn!(%day, page = number, place, reason, "a person is left out");
        }
        if page.data.is_empty() {
            return Ok(());
        }
        let id = JobId::of_foreign(&format!("eposh-{day}-{number}"));
        // What was read can be written.
        let batch = message::written(&Batch::of(page)).unwrap_or_default();
        self.main.send(&id, &batch).await?;
        let people = page.data.len();
        self.metrics.people("induction", PersonStep::Queued, people);
        tracing::info!(%day, page = number, people, "page queued");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_requirement_s_days() {
        let skip = BTreeSet::from([date(2026, 1, 2), date(2026, 1, 5)]);
        let days = Days::new(date(2026, 1, 1), date(2026, 1, 19), skip).unwrap();
        let numbers: Vec<i8> = days.each().map(Date::day).collect();
        let expected = [1, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];
        assert_eq!(numbers, expected);
        let one = Days::new(date(2026, 2, 28), date(2026, 2, 28), BTreeSet::new());
        assert_eq!(one.unwrap().each().count(), 1);
    }

    #[test]
    fn days_are_bounded_and_in_order() {
        let none = BTreeSet::new;
        let error = Days::new(date(2026, 1, 2), date(2026, 1, 1), none()).unwrap_err();
        assert!(error.contains("2026-01-02 is after"), "{error}");
        assert!(Days::new(date(2026, 1, 1), date(2026, 12, 31), none()).is_ok());
        assert!(Days::new(date(2026, 1, 1), date(2027, 1, 2), none()).is_err());
        // The end of the calendar.
        let (first, last) = (date(9999, 12, 30), date(9999, 12, 31));
        assert_eq!(Days::new(first, last, none()).unwrap().each().count(), 2);
    }
}
