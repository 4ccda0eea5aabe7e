//! What an adapter's broker can do, where not all of them can.

/// What an adapter can do beyond what all of them can.
///
/// The contract suite runs each of its parts on every adapter that has what the
/// part needs, and prints a table of what ran and what did not for want of a
/// capability. `flatbed doctor` tells operators the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// A claim ends by itself after [`Source::lease`](super::Source::lease) while
    /// its process lives on. Without it only a broken connection ends a claim
    /// (`RabbitMQ`).
    pub expiring_lease: bool,
    /// [`Outcome::PutBack`](crate::job::Outcome::PutBack) gives the attempt back.
    pub uncharged_put_back: bool,
    /// Attempts that ended in a crash are counted.
    pub counts_crashes: bool,
    /// A settlement can be repeated after it was written.
    pub repeatable_settle: bool,
    /// Progress can be seen.
    pub progress: bool,
    /// Active jobs can be cancelled, from any host.
    pub cancel: bool,
    /// Jobs keep records: the adapter is a [`Ledger`](super::Ledger) and an
    /// [`Admin`](super::Admin).
    pub ledger: bool,
}

impl Capabilities {
    /// All of it.
    pub const FULL: Self = Self {
        expiring_lease: true,
        uncharged_put_back: true,
        counts_crashes: true,
        repeatable_settle: true,
        progress: true,
        cancel: true,
        ledger: true,
    };

    /// All that needs no records of jobs.
    pub const WITHOUT_RECORDS: Self = Self {
        progress: false,
        cancel: false,
        ledger: false,
        ..Self::FULL
    };
}
