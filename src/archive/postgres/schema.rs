//! The tables, in numbered steps.

use super::vectors;
use crate::queue::Result;
use crate::queue::postgres::LONGEST_MIGRATION;
use crate::queue::postgres::address::Address;
use crate::queue::postgres::connection;
use crate::queue::postgres::schema::{JOBS, Schema, Steps};

/// The tables of videos, and `jobs`.
pub(super) const ANALYSIS: &Steps = &Steps {
    table: "flatbed_analysis_migrations",
    lock: 7_165_065_861_825_654_390,
    needs: Some(JOBS),
    all: &[
        include_str!("sql/tables.sql"),
        vectors::CONVERT,
        include_str!("sql/jobs.sql"),
    ],
};

pub(super) async fn examine(address: &Address) -> Result<Schema> {
    connection::examine(address, ANALYSIS).await
}

/// And has vectors be pgvector's, if they were not.
pub(super) async fn migrate(address: &Address) -> Result<Schema> {
    let before = connection::migrate(address, ANALYSIS, LONGEST_MIGRATION).await?;
    let convert = [vectors::CONVERT.to_owned()];
    connection::at_leisure(address, &convert, LONGEST_MIGRATION).await?;
    Ok(before)
}
