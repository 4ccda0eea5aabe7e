//! What claims, triggers and counts, for the names and types of this database.
//!
//! Names and statuses are quoted into the text, values are parameters. `$1` is always
//! the items' table as `flatbed_packing_claims` has it, `$2` an item's id or a claim's
//! token.

use super::super::names::quoted;
use super::super::order::CAMERA_TEXTS;
use super::super::table::{Class, Table, Tables, There};
use super::super::ticket::LOST;
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
}

impl Statements {
    pub(super) fn new(items: String, tables: &Tables) -> Self {
        let words = Words::of(tables);
        Self {
            items,
            begun: begun(&words),
            fresh: fresh(&words),
            claimed_unheard: claimed_unheard(&words),
            taken_away: taken_away(&words),
            trigger: trigger(&words),
            waiting: waiting(&words),
            counts: counts(&words),
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
    fn id_of_items(&self) -> String {
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
fn begins(words: &Words<'_>, delay: &str) -> String {
    let end = time(&words.tables.items, "end_time");
    format!("({end} + make_interval(secs => {delay}))")
}

/// What is told of a claimed row: `claim` is its row of the claims, `item` what
/// `item_columns` names.
fn told(words: &Words<'_>) -> String {
    let cameras = &words.tables.cameras;
    let texts: Vec<String> = CAMERA_TEXTS
        .iter()
        .map(|column| {
            let text = match (cameras.name(column), cameras.find(column)) {
                (Some(name), Some(there)) if there.class == Class::Bytes => {
                    format!("encode(camera.{name}, 'escape')")
                }
                (Some(name), _) => format!("camera.{name}::text"),
                (None, _) => "NULL::text".to_owned(),
            };
            format!("{text} AS {}", quoted(column))
        })
        .collect();
    format!(
        "SELECT claim.state, claim.attempts, claim.losses, claim.triggered_at,
                item.id, item.start_time, item.end_time, camera.id AS camera_id, camera.texts
         FROM claim JOIN item ON item.id = claim.item
         LEFT JOIN LATERAL (
             SELECT id, ARRAY[{names}] AS texts
             FROM (SELECT camera.{id}::bigint AS id, {texts}
                   FROM {table} AS camera WHERE camera.{id} = item.camera_id LIMIT 1) AS camera
         ) AS camera ON true",
        names = CAMERA_TEXTS.map(quoted).join(", "),
        texts = texts.join(", "),
        id = cameras.needed("id"),
        table = cameras.sql,
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

/// Claims a row that has a claim already: it was triggered, put back, is to be tried
/// again, or lost its worker; in its last attempt, it has failed.
/// `$2` token, `$3` lease, `$4` attempts in all, `$5` whether those that nobody has
/// triggered are wanted.
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
        "WITH next AS MATERIALIZED (
            SELECT c.item, c.state AS was
            FROM flatbed_packing_claims AS c JOIN {items} AS i ON {id} = c.item
            WHERE c.items = $1 AND c.state IN ('waiting', 'active') AND c.due <= now()
              AND (c.state = 'waiting' AND i.{status} = {ready}
                       AND ($5::boolean OR c.triggered_at IS NOT NULL)
                   OR c.state = 'active' AND i.{status} = {processing})
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
        attempts = words.attempts("claim.attempts"),
        updated = words.updated(),
        columns = item_columns(words),
        told = told(words),
    )
}

/// Claims a row that is ready and that nobody has triggered: the lowest id first.
/// `$2` token, `$3` lease, `$4` the delay after its end. One that its users have made
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
        "WITH next AS MATERIALIZED (
            SELECT {id} AS item FROM {items} AS i
            WHERE i.{status} = {ready} AND NOT EXISTS (
                SELECT FROM flatbed_packing_claims AS c
                WHERE c.items = $1 AND c.item = {id}
                  AND (c.state = 'waiting' OR c.state = 'active' AND c.due > now()))
              AND ({begins} > now()) IS NOT TRUE
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

/// `$2` item, `$3` token.
fn taken_away(words: &Words<'_>) -> String {
    format!(
        "SELECT FROM flatbed_packing_claims AS c
         WHERE c.items = $1 AND c.item = $2::bigint AND c.token = $3 AND c.state = 'active'
           AND NOT EXISTS (SELECT FROM {} AS i
                           WHERE {} = $2::bigint AND i.{} = {})",
        words.items,
        words.id_of_items(),
        words.status,
        words.processing,
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

fn waiting(words: &Words<'_>) -> String {
    format!(
        "SELECT count(*) FROM flatbed_packing_claims AS c JOIN {} AS i ON {} = c.item
         WHERE c.items = $1 AND c.state = 'waiting' AND c.triggered_at IS NOT NULL
           AND i.{} = {}",
        words.items,
        words.id_of_items(),
        words.status,
        words.ready,
    )
}

/// `$2` the delay after an item's end.
fn counts(words: &Words<'_>) -> String {
    let Words {
        items,
        status,
        ready,
        processing,
        generated,
        failed,
        ..
    } = words;
    let id = words.id_of_items();
    format!(
        "SELECT count(*) FILTER (WHERE i.{status} = {ready} AND NOT {is_delayed}) AS waiting,
                count(*) FILTER (WHERE i.{status} = {ready} AND {is_delayed}) AS delayed,
                count(*) FILTER (WHERE i.{status} = {processing}) AS active,
                count(*) FILTER (WHERE i.{status} = {generated}) AS completed,
                count(*) FILTER (WHERE i.{status} = {failed}) AS failed
         FROM {items} AS i LEFT JOIN flatbed_packing_claims AS c
           ON c.items = $1 AND c.item = {id} AND c.state = 'waiting' AND c.due > now()
         WHERE i.{status} IN ({ready}, {processing}, {generated}, {failed})",
        is_delayed = format!(
            "(c.item IS NOT NULL OR ({} > now()) IS TRUE)",
            begins(words, "$2")
        ),
    )
}
