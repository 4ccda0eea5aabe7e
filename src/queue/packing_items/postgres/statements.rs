//! What claims and triggers, for the names and types of this database.
//!
//! Names and statuses are quoted into the text, values are parameters. `$1` is always
//! the items' table as `flatbed_packing_claims` has it, `$2` an item's id or a claim's
//! token.

use super::super::names::quoted;
use super::super::table::{Class, Table, Tables, There};
use super::super::ticket::LOST;
use super::looking::{self, cameras};
use super::settling;
use crate::queue::postgres::connection::jobs;

/// The statements, written once.
pub(super) struct Statements {
    /// The items' table as `flatbed_packing_claims` has it.
    pub(super) items: String,
    pub(super) begun: String,
    pub(super) fresh: String,
    pub(super) again: String,
    pub(super) claimed_unheard: String,
    pub(super) taken_away: String,
    pub(super) made: String,
    pub(super) failed: String,
    pub(super) put_back: String,
    pub(super) trigger: String,
    pub(super) waiting: String,
    pub(super) counts: String,
    pub(super) cameras: String,
}

impl Statements {
    pub(super) fn new(items: String, tables: &Tables) -> Self {
        let words = Words::of(tables);
        Self {
            items,
            begun: begun(&words),
            fresh: fresh(&words),
            claimed_unheard: claimed_unheard(&words),
            taken_away: looking::taken_away(&words),
            trigger: trigger(&words),
            waiting: looking::waiting(&words),
            counts: looking::counts(&words),
            cameras: cameras(&words, "ORDER BY 1"),
            again: settling::again(&words),
            failed: settling::failed(&words),
            put_back: settling::put_back(&words),
            made: settling::made(&words),
        }
    }
}

/// The parts that statements are put together of. `i` is an item.
pub(super) struct Words<'a> {
    pub(super) tables: &'a Tables,
    /// The items' table and its columns.
    pub(super) items: &'a str,
    pub(super) id: String,
    pub(super) status: String,
    pub(super) ready: String,
    pub(super) processing: String,
    pub(super) generated: String,
    pub(super) failed: String,
}

impl<'a> Words<'a> {
    fn of(tables: &'a Tables) -> Self {
        let items = &tables.items;
        let cast = items
            .find("status")
            .map_or("text", |status| status.cast.as_str());
        let literal = |status: &str| format!("'{}'::{cast}", status.replace('\'', "''"));
        let statuses = &tables.statuses;
        Self {
            tables,
            items: &items.sql,
            id: items.needed("id"),
            status: items.needed("status"),
            ready: literal(&statuses.ready),
            processing: literal(&statuses.processing),
            generated: literal(&statuses.generated),
            failed: literal(&statuses.failed),
        }
    }

    /// `, error = ...`, where there is such a column.
    pub(super) fn error(&self, text: &str) -> String {
        self.tables
            .items
            .find("error")
            .map_or_else(String::new, |error| {
                format!(", {} = ({text})::{}", quoted(&error.name), error.narrow)
            })
    }

    /// `, attempts = ...`, likewise.
    pub(super) fn attempts(&self, number: &str) -> String {
        let attempts = self.tables.items.name("attempts");
        attempts.map_or_else(String::new, |attempts| format!(", {attempts} = {number}"))
    }

    /// `, updated_at = ...`, likewise.
    pub(super) fn updated(&self) -> String {
        self.tables
            .items
            .find("updated_at")
            .map_or_else(String::new, |column| {
                format!(", {} = {}", quoted(&column.name), instant(column, "now()"))
            })
    }

    /// `c.items = $1 AND ...`: the claim `c` with its item `i`.
    pub(super) fn id_of_items(&self) -> String {
        format!("i.{}", self.id)
    }
}

/// An instant as that column has it.
pub(super) fn instant(column: &There, instant: &str) -> String {
    match column.class {
        Class::Naive => format!("({instant} AT TIME ZONE 'UTC')"),
        _ => instant.to_owned(),
    }
}

/// A column of `i` as `timestamptz`; NULL where there is no time, nor one that anybody
/// could mean.
fn time(table: &Table, column: &str) -> String {
    let name = format!("i.{}", table.needed(column));
    let time = match table.find(column).map(|there| &there.class) {
        Some(Class::Naive) => format!("({name} AT TIME ZONE 'UTC')"),
        _ => name.clone(),
    };
    format!("CASE WHEN {name} > '0001-01-02' AND {name} < '9999-12-30' THEN {time} END")
}

/// The same as microseconds since 1970.
fn micros(table: &Table, column: &str) -> String {
    format!(
        "(extract(epoch FROM {}) * 1000000)::bigint",
        time(table, column)
    )
}

/// When `i` can be begun: so many seconds after its end, as that parameter says. NULL
/// where it has none.
pub(super) fn begins(words: &Words<'_>, delay: &str) -> String {
    let end = time(&words.tables.items, "end_time");
    format!("({end} + make_interval(secs => {delay}))")
}

/// What is told of a claimed row: `claim` is its row of the claims, `item` what
/// `item_columns` names.
fn told(words: &Words<'_>) -> String {
    let its_own = format!(
        "WHERE camera.{} = item.camera_id LIMIT 1",
        words.tables.cameras.needed("id")
    );
    format!(
        "SELECT claim.state, claim.attempts, claim.losses, claim.triggered_at,
                item.id, item.start_time, item.end_time, camera.camera_id, camera.texts
         FROM claim JOIN item ON item.id = claim.item
         LEFT JOIN LATERAL ({}) AS camera ON true",
        cameras(words, &its_own)
    )
}

fn item_columns(words: &Words<'_>) -> String {
    let items = &words.tables.items;
    format!(
        "i.{}::bigint AS id, i.{} AS camera_id, {} AS start_time, {} AS end_time",
        words.id,
        items.needed("camera_id"),
        micros(items, "start_time"),
        micros(items, "end_time"),
    )
}

const CLAIM_COLUMNS: &str = "c.item, c.state, c.attempts, c.losses, c.triggered_at, c.reason";

/// `closed`: the cameras whose recorder has as many active items as it can do, as that
/// parameter says.
fn closed(words: &Words<'_>, at_once: &str) -> String {
    let (cameras, items) = (&words.tables.cameras, &words.tables.items);
    let port = cameras.name("port");
    let port = port.map_or_else(
        || "''".to_owned(),
        |port| format!("coalesce(camera.{port}::text, '')"),
    );
    format!(
        "reached AS MATERIALIZED (
            SELECT camera.{id} AS id, lower(camera.{host}::text) AS host, {port} AS port
            FROM {table} AS camera
        ), closed AS MATERIALIZED (
            SELECT reached.id FROM reached WHERE (reached.host, reached.port) IN (
                SELECT taken.host, taken.port
                FROM flatbed_packing_claims AS c
                JOIN {items} AS i ON {item} = c.item
                JOIN reached AS taken ON taken.id = i.{camera}
                WHERE c.items = $1 AND c.state = 'active' AND c.due > now()
                GROUP BY 1, 2 HAVING count(*) >= {at_once}::bigint)
        )",
        id = cameras.needed("id"),
        host = cameras.needed("host"),
        table = cameras.sql,
        items = words.items,
        item = words.id_of_items(),
        camera = items.needed("camera_id"),
    )
}

/// Whether the recorder of `i` can do it.
fn is_open(words: &Words<'_>) -> String {
    let camera = words.tables.items.needed("camera_id");
    format!("NOT EXISTS (SELECT FROM closed WHERE closed.id = i.{camera})")
}

/// Claims a row that has a claim already: it was triggered, put back, is to be tried
/// again, or lost its worker; in its last attempt, it has failed.
/// `$2` token, `$3` lease, `$4` attempts in all, `$5` whether those that nobody has
/// triggered are wanted, `$6` items of a recorder at a time.
fn begun(words: &Words<'_>) -> String {
    let Words {
        items,
        status,
        ready,
        processing,
        failed,
        ..
    } = words;
    let id = words.id_of_items();
    let error = words.tables.items.name("error");
    let error = error.map_or_else(String::new, |error| {
        let set =
            format!("CASE claim.state WHEN 'active' THEN i.{error}::text ELSE claim.reason END");
        words.error(&set)
    });
    format!(
        "WITH {closed}, next AS MATERIALIZED (
            SELECT c.item, c.state AS was
            FROM flatbed_packing_claims AS c JOIN {items} AS i ON {id} = c.item
            WHERE c.items = $1 AND c.state IN ('waiting', 'active') AND c.due <= now()
              AND (c.state = 'waiting' AND i.{status} = {ready}
                       AND ($5::boolean OR c.triggered_at IS NOT NULL)
                   OR c.state = 'active' AND i.{status} = {processing})
              AND {is_open}
            ORDER BY c.triggered_at NULLS LAST, c.due, c.item
            LIMIT 1
            FOR NO KEY UPDATE OF i SKIP LOCKED
        ), claim AS (
            UPDATE flatbed_packing_claims AS c SET
                state = CASE WHEN c.state = 'active' AND c.attempts >= $4::integer
                             THEN 'settled' ELSE 'active' END,
                token = $2::uuid,
                due = now() + CASE WHEN c.state = 'active' AND c.attempts >= $4::integer
                                   THEN interval '0' ELSE make_interval(secs => $3) END,
                attempts = c.attempts
                    + (NOT (c.state = 'active' AND c.attempts >= $4::integer))::integer,
                losses = c.losses + (c.state = 'active')::integer,
                reason = CASE WHEN c.state = 'active' AND c.attempts >= $4::integer
                    THEN format('{LOST}%s of %s%s', c.attempts, $4::integer,
                                '; before that: ' || c.reason)
                    ELSE c.reason END
            FROM next
            WHERE c.items = $1 AND c.item = next.item AND c.state = next.was AND c.due <= now()
            RETURNING {CLAIM_COLUMNS}
        ), item AS (
            UPDATE {items} AS i SET
                {status} = CASE claim.state WHEN 'active' THEN {processing} ELSE {failed} END
                {attempts}{error}{updated}
            FROM claim WHERE {id} = claim.item
            RETURNING {columns}
        )
        {told}",
        closed = closed(words, "$6"),
        is_open = is_open(words),
        attempts = words.attempts("claim.attempts"),
        updated = words.updated(),
        columns = item_columns(words),
        told = told(words),
    )
}

/// Claims a row that is ready and that nobody has triggered: the lowest id first.
/// `$2` token, `$3` lease, `$4` the delay after its end, `$5` items of a recorder at a
/// time. One that its users have made
/// ready again while it was processed waits until its worker has let it go.
fn fresh(words: &Words<'_>) -> String {
    let Words {
        items,
        status,
        ready,
        processing,
        ..
    } = words;
    let id = words.id_of_items();
    format!(
        "WITH {closed}, next AS MATERIALIZED (
            SELECT {id} AS item FROM {items} AS i
            WHERE i.{status} = {ready} AND NOT EXISTS (
                SELECT FROM flatbed_packing_claims AS c
                WHERE c.items = $1 AND c.item = {id}
                  AND (c.state = 'waiting' OR c.state = 'active' AND c.due > now()))
              AND ({begins} > now()) IS NOT TRUE AND {is_open}
            ORDER BY {id}
            LIMIT 1
            FOR NO KEY UPDATE OF i SKIP LOCKED
        ), claim AS (
            INSERT INTO flatbed_packing_claims AS c (items, item, state, token, due, attempts)
            SELECT $1::text, next.item, 'active', $2::uuid, now() + make_interval(secs => $3), 1
            FROM next
            ON CONFLICT (items, item) DO UPDATE SET
                state = excluded.state, token = excluded.token, due = excluded.due,
                attempts = 1, losses = 0, reason = NULL, triggered_at = NULL
            WHERE c.state IN ('settled', 'released') OR c.state = 'active' AND c.due <= now()
            RETURNING {CLAIM_COLUMNS}
        ), item AS (
            UPDATE {items} AS i SET {status} = {processing}{attempts}{error}{updated}
            FROM claim WHERE {id} = claim.item
            RETURNING {columns}
        )
        {told}",
        closed = closed(words, "$5"),
        is_open = is_open(words),
        begins = begins(words, "$4"),
        attempts = words.attempts("claim.attempts"),
        error = words.error("NULL"),
        updated = words.updated(),
        columns = item_columns(words),
        told = told(words),
    )
}

/// The claim of the token `$2`, once more, where its answer was lost; `$3` lease.
fn claimed_unheard(words: &Words<'_>) -> String {
    format!(
        "WITH claim AS (
            UPDATE flatbed_packing_claims AS c SET due = now() + make_interval(secs => $3)
            WHERE c.items = $1 AND c.token = $2 AND c.state = 'active'
            RETURNING {CLAIM_COLUMNS}
        ), item AS (
            SELECT {columns} FROM {items} AS i JOIN claim ON {id} = claim.item
        )
        {told}",
        items = words.items,
        id = words.id_of_items(),
        columns = item_columns(words),
        told = told(words),
    )
}

/// `$2` item, `$3` what the bell says, `$4` the delay after its end. One that its users
/// have made ready again while it was processed waits for the end of its worker's lease.
fn trigger(words: &Words<'_>) -> String {
    let id = words.id_of_items();
    format!(
        "WITH item AS MATERIALIZED (
            SELECT {id} AS item, greatest({begins}, now()) AS due FROM {items} AS i
            WHERE {id} = $2::bigint AND i.{status} = {ready}
            FOR NO KEY UPDATE
        ), claim AS (
            INSERT INTO flatbed_packing_claims AS c (items, item, state, due, triggered_at)
            SELECT $1::text, item.item, 'waiting', item.due, now() FROM item
            ON CONFLICT (items, item) DO UPDATE SET
                state = 'waiting',
                due = CASE c.state WHEN 'active' THEN greatest(c.due, excluded.due)
                                   ELSE excluded.due END,
                token = CASE c.state WHEN 'active' THEN NULL ELSE c.token END,
                attempts = CASE c.state WHEN 'waiting' THEN c.attempts ELSE 0 END,
                losses = CASE c.state WHEN 'waiting' THEN c.losses ELSE 0 END,
                reason = CASE c.state WHEN 'waiting' THEN c.reason END,
                triggered_at = CASE c.state WHEN 'waiting' THEN coalesce(c.triggered_at, now())
                                            ELSE now() END
            RETURNING c.item
        )
        SELECT pg_notify('{channel}', $3::text) FROM claim",
        begins = begins(words, "$4"),
        items = words.items,
        status = words.status,
        ready = words.ready,
        channel = jobs!(),
    )
}
