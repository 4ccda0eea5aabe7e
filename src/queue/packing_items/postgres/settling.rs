//! What ends a claim: each statement names its token, and changes nothing under
//! another, nor where users have changed the row.
//!
//! `$1` the items' table, `$2` the item, `$3` the token.

use super::super::names::quoted;
use super::super::table::There;
use super::statements::{Words, instant};
use crate::queue::postgres::connection::jobs;

/// Locks the item if it is being processed, and then changes its claim.
fn fenced(words: &Words<'_>, set: &str) -> String {
    format!(
        "WITH locked AS MATERIALIZED (
            SELECT i.{id} FROM {items} AS i
            WHERE i.{id} = $2::bigint AND i.{status} = {processing}
            FOR NO KEY UPDATE
        ), claim AS (
            UPDATE flatbed_packing_claims AS c SET {set}
            FROM locked
            WHERE c.items = $1 AND c.item = $2::bigint AND c.token = $3 AND c.state = 'active'
            RETURNING c.item, c.attempts
        )",
        id = words.id,
        items = words.items,
        status = words.status,
        processing = words.processing,
    )
}

/// And then the item.
fn item(words: &Words<'_>, status: &str, more: &str) -> String {
    format!(
        ", item AS (
            UPDATE {items} AS i SET {column} = {status}{more}{updated}
            FROM claim
            WHERE i.{id} = claim.item AND i.{column} = {processing}
            RETURNING i.{id} AS id
        )",
        items = words.items,
        column = words.status,
        updated = words.updated(),
        id = words.id,
        processing = words.processing,
    )
}

/// `$4` reason, `$5` seconds, `$6` what the bell says.
pub(super) fn again(words: &Words<'_>) -> String {
    let set = "state = 'waiting', reason = $4::text, due = now() + make_interval(secs => $5)";
    let error = words.error("$4::text");
    format!(
        "{}{} SELECT pg_notify('{}', $6::text) FROM item",
        fenced(words, set),
        item(words, &words.ready, &error),
        jobs!(),
    )
}

/// `$4` reason.
pub(super) fn failed(words: &Words<'_>) -> String {
    let set = "state = 'settled', reason = $4::text, due = now()";
    let error = words.error("$4::text");
    format!(
        "{}{} SELECT FROM item",
        fenced(words, set),
        item(words, &words.failed, &error)
    )
}

/// `$4` what the bell says.
pub(super) fn put_back(words: &Words<'_>) -> String {
    let set = "state = 'waiting', due = now(), attempts = greatest(c.attempts - 1, 0)";
    let attempts = words.attempts("claim.attempts");
    format!(
        "{}{} SELECT pg_notify('{}', $4::text) FROM item",
        fenced(words, set),
        item(words, &words.ready, &attempts),
        jobs!(),
    )
}

/// The clip's row too, whether or not the table has a unique constraint: the lock of
/// the item keeps others from adding one. `$4` bucket, `$5` key, `$6` URL, `$7` start
/// and `$8` end in microseconds, `$9` duration, `$10` size, `$11` coverage.
pub(super) fn made(words: &Words<'_>) -> String {
    let clips = &words.tables.clips;
    let parent = clips.needed("packing_item_id");
    let written: Vec<(String, String)> = [
        "bucket",
        "object_key",
        "url",
        "start_time",
        "end_time",
        "duration_ms",
        "size_bytes",
        "coverage",
    ]
    .into_iter()
    .filter_map(|name| {
        let column = clips.find(name)?;
        Some((quoted(&column.name), value(name, column)))
    })
    .collect();
    let now = |name| {
        let column: &There = clips.find(name)?;
        Some((quoted(&column.name), instant(column, "now()")))
    };
    let (created, updated) = (now("created_at"), now("updated_at"));
    let changes: Vec<String> = written
        .iter()
        .chain(&updated)
        .map(|(column, value)| format!("{column} = {value}"))
        .collect();
    let (columns, values): (Vec<_>, Vec<_>) =
        written.into_iter().chain(created).chain(updated).unzip();
    format!(
        "{fenced}, made AS (
            SELECT $4::text AS bucket, $5::text AS object_key, $6::text AS url,
                   timestamptz 'epoch' + $7::bigint * interval '1 microsecond' AS start_time,
                   timestamptz 'epoch' + $8::bigint * interval '1 microsecond' AS end_time,
                   $9::bigint AS duration_ms, $10::bigint AS size_bytes,
                   $11::double precision AS coverage
        ){item}, changed AS (
            UPDATE {table} AS clip SET {changes} FROM item, made
            WHERE clip.{parent} = item.id RETURNING clip.{parent}
        ), added AS (
            INSERT INTO {table} ({parent}, {columns})
            SELECT item.id, {values} FROM item, made WHERE NOT EXISTS (SELECT FROM changed)
            RETURNING {parent}
        )
        SELECT FROM item",
        fenced = fenced(words, "state = 'settled', reason = NULL, due = now()"),
        item = item(words, &words.generated, &words.error("NULL")),
        table = clips.sql,
        changes = changes.join(", "),
        columns = columns.join(", "),
        values = values.join(", "),
    )
}

fn value(name: &str, column: &There) -> String {
    instant(column, &format!("made.{name}"))
}
