//! Claims and triggers, each within a transaction that has the file to itself.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, named_params};
use uuid::Uuid;

use super::super::Config;
use super::super::order::{Camera, Row};
use super::super::table::Tables;
use super::super::ticket::{Claim, Claimed, Found, LOST, Wanted};
use super::looking::{camera, camera_columns};
use super::settling::{Change, change};
use super::times;
use crate::queue::sqlite::rows::{millis, now, time};

/// How long until there is something to claim, if there is nothing now: a look that
/// keeps nobody from writing.
pub(super) fn nothing(
    all: &Connection,
    tables: &Tables,
    config: &Config,
    wanted: Wanted,
) -> rusqlite::Result<Option<Claim>> {
    let is_there = next_begun(all, tables, config)?.is_some()
        || wanted.fresh && next_fresh(all, tables, config)?.is_some();
    if is_there {
        return Ok(None);
    }
    next_due(all, tables, config.auto).map(|due| Some(Claim::Nothing(due)))
}

/// Claims the next row.
pub(super) fn claim(
    all: &Transaction<'_>,
    tables: &Tables,
    config: &Config,
    wanted: Wanted,
) -> rusqlite::Result<Found> {
    let most = config.retry.attempts.max(1);
    let begun = begun(all, tables, config, wanted.token, most)?;
    let (item, was_fresh) = match begun {
        Some(item) => (Some(item), false),
        None if wanted.fresh => (fresh(all, tables, config, wanted.token)?, true),
        None => (None, false),
    };
    let Some(item) = item else {
        let claim = Claim::Nothing(next_due(all, tables, config.auto)?);
        return Ok(Found {
            claim,
            was_fresh: false,
        });
    };
    let claimed = claimed(all, tables, item)?;
    Ok(Found {
        claim: claimed.into_claim(wanted.token, most),
        was_fresh,
    })
}

/// Whether the recorder of `i` has fewer active items than `:at_once`.
fn is_open(tables: &Tables) -> String {
    let (items, cameras) = (&tables.items, &tables.cameras);
    let host = cameras.needed("host");
    let same_port = cameras.name("port").map_or_else(String::new, |port| {
        format!("AND coalesce(other.{port}, '') = coalesce(its.{port}, '')")
    });
    format!(
        "(SELECT count(*) FROM {cameras} AS its
          JOIN {cameras} AS other ON lower(other.{host}) = lower(its.{host}) {same_port}
          JOIN {items} AS j ON j.{camera} = other.{camera_id}
          JOIN flatbed_packing_claims AS d ON d.item = j.{id}
          WHERE its.{camera_id} = i.{camera} AND d.items = :items AND d.state = 'active'
            AND d.due > {now}) < :at_once",
        cameras = cameras.sql,
        camera_id = cameras.needed("id"),
        items = items.sql,
        camera = items.needed("camera_id"),
        id = items.needed("id"),
        now = now!(),
    )
}

/// The next row that has a claim, and the claim's state.
fn next_begun(
    all: &Connection,
    tables: &Tables,
    config: &Config,
) -> rusqlite::Result<Option<(i64, String)>> {
    let items = &tables.items;
    let (id, status) = (items.needed("id"), items.needed("status"));
    let next = format!(
        "SELECT c.item, c.state FROM flatbed_packing_claims AS c
         JOIN {} AS i ON i.{id} = c.item
         WHERE c.items = :items AND c.state IN ('waiting', 'active') AND c.due <= {}
           AND (c.state = 'waiting' AND i.{status} = :ready
                    AND (:auto OR c.triggered_at IS NOT NULL)
                OR c.state = 'active' AND i.{status} = :processing)
           AND {}
         ORDER BY c.triggered_at IS NULL, c.triggered_at, c.due, c.item LIMIT 1",
        items.sql,
        now!(),
        is_open(tables),
    );
    let statuses = &tables.statuses;
    all.prepare_cached(&next)?
        .query_row(
            named_params! {
                ":items": items.sql, ":ready": statuses.ready, ":auto": config.auto,
                ":processing": statuses.processing, ":at_once": config.per_recorder,
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
}

/// Claims a row that has a claim already: it was triggered, put back, is to be tried
/// again, or lost its worker; in its last attempt, it has failed.
fn begun(
    all: &Transaction<'_>,
    tables: &Tables,
    config: &Config,
    token: Uuid,
    most: u32,
) -> rusqlite::Result<Option<i64>> {
    const CLAIM: &str = concat!(
        "UPDATE flatbed_packing_claims SET
            state = CASE WHEN :lost AND attempts >= :most THEN 'settled' ELSE 'active' END,
            token = :token,
            due = ",
        now!(),
        " + CASE WHEN :lost AND attempts >= :most THEN 0 ELSE :lease END,
            reason = CASE WHEN :lost AND attempts >= :most
                THEN :said || attempts || ' of ' || :most || coalesce('; before that: ' || reason, '')
                ELSE reason END,
            attempts = attempts + NOT (:lost AND attempts >= :most),
            losses = losses + :lost
         WHERE items = :items AND item = :item
         RETURNING state, attempts, reason"
    );
    let (items, statuses) = (&tables.items, &tables.statuses);
    let Some((item, state)) = next_begun(all, tables, config)? else {
        return Ok(None);
    };
    let (state, attempts, reason): (String, u32, Option<String>) =
        all.prepare_cached(CLAIM)?.query_row(
            named_params! {
                ":items": items.sql, ":item": item, ":token": token.to_string(),
                ":lease": millis(config.lease), ":most": most, ":lost": state == "active",
                ":said": LOST,
            },
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
    let claimed = if state == "active" {
        Change::to(&statuses.processing).attempts(attempts)
    } else {
        Change::to(&statuses.failed).error(reason)
    };
    change(all, tables, item, &claimed)?;
    Ok(Some(item))
}

/// The next row that has none and can be begun.
fn next_fresh(all: &Connection, tables: &Tables, config: &Config) -> rusqlite::Result<Option<i64>> {
    let items = &tables.items;
    let (id, status) = (items.needed("id"), items.needed("status"));
    let next = format!(
        "SELECT i.{id}, i.{end} FROM {} AS i
         WHERE i.{status} = :ready AND typeof(i.{id}) = 'integer' AND NOT EXISTS (
             SELECT 1 FROM flatbed_packing_claims AS c
             WHERE c.items = :items AND c.item = i.{id}
               AND (c.state = 'waiting' OR c.state = 'active' AND c.due > {}))
           AND {}
         ORDER BY i.{id}",
        items.sql,
        now!(),
        is_open(tables),
        end = items.needed("end_time"),
    );
    let statuses = &tables.statuses;
    let mut next = all.prepare_cached(&next)?;
    let mut rows = next.query(named_params! {
        ":items": items.sql, ":ready": statuses.ready, ":at_once": config.per_recorder,
    })?;
    while let Some(row) = rows.next()? {
        if times::wait(row.get_ref(1)?, config.delay).is_zero() {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

/// Claims a row that is ready and that nobody has triggered: the lowest id first. One
/// that its users have made ready again while it was processed waits until its worker
/// has let it go.
fn fresh(
    all: &Transaction<'_>,
    tables: &Tables,
    config: &Config,
    token: Uuid,
) -> rusqlite::Result<Option<i64>> {
    const CLAIM: &str = concat!(
        "INSERT INTO flatbed_packing_claims (items, item, state, token, due, attempts)
         VALUES (:items, :item, 'active', :token, ",
        now!(),
        " + :lease, 1)
         ON CONFLICT (items, item) DO UPDATE SET
            state = excluded.state, token = excluded.token, due = excluded.due,
            attempts = 1, losses = 0, reason = NULL, triggered_at = NULL"
    );
    let (items, statuses) = (&tables.items, &tables.statuses);
    let Some(item) = next_fresh(all, tables, config)? else {
        return Ok(None);
    };
    all.prepare_cached(CLAIM)?.execute(named_params! {
        ":items": items.sql, ":item": item, ":token": token.to_string(),
        ":lease": millis(config.lease),
    })?;
    let claimed = Change::to(&statuses.processing).attempts(1).error(None);
    change(all, tables, item, &claimed)?;
    Ok(Some(item))
}

/// How long until a row with a claim is due; `None` if none is.
fn next_due(all: &Connection, tables: &Tables, auto: bool) -> rusqlite::Result<Option<Duration>> {
    const NEXT: &str = concat!(
        "SELECT min(due) - ",
        now!(),
        " FROM flatbed_packing_claims
         WHERE items = :items AND state IN ('waiting', 'active') AND due > ",
        now!(),
        " AND (:auto OR state = 'active' OR triggered_at IS NOT NULL)"
    );
    let wait: Option<i64> = all.prepare_cached(NEXT)?.query_row(
        named_params! {":items": tables.items.sql, ":auto": auto},
        |row| row.get(0),
    )?;
    // At least 1 ms: the clock of the next claim must have passed it.
    Ok(wait.map(|wait| Duration::from_millis(u64::try_from(wait.max(1)).unwrap_or_default())))
}

/// What a row and its claim are now.
fn claimed(all: &Transaction<'_>, tables: &Tables, item: i64) -> rusqlite::Result<Claimed> {
    let items = &tables.items;
    let sql = format!(
        "SELECT c.state, c.attempts, c.losses, c.triggered_at,
                i.{id} AS id, i.{camera} AS camera, i.{start} AS start, i.{end} AS end
         FROM flatbed_packing_claims AS c JOIN {table} AS i ON i.{id} = c.item
         WHERE c.items = :items AND c.item = :item",
        id = items.needed("id"),
        camera = items.needed("camera_id"),
        start = items.needed("start_time"),
        end = items.needed("end_time"),
        table = items.sql,
    );
    let (mut claimed, camera) = all.prepare_cached(&sql)?.query_row(
        named_params! {":items": items.sql, ":item": item},
        |row| {
            let state: String = row.get("state")?;
            let triggered_at: Option<i64> = row.get("triggered_at")?;
            let claimed = Claimed {
                is_active: state == "active",
                attempts: row.get("attempts")?,
                losses: row.get("losses")?,
                triggered_at: triggered_at.map(time),
                row: Row {
                    id: row.get("id")?,
                    start_time: times::read(row.get_ref("start")?),
                    end_time: times::read(row.get_ref("end")?),
                    camera: None,
                },
            };
            Ok((
                claimed,
                row.get_ref("camera")?.as_i64_or_null().ok().flatten(),
            ))
        },
    )?;
    if let Some(id) = camera {
        claimed.row.camera = find_camera(all, tables, id)?;
    }
    Ok(claimed)
}

fn find_camera(
    all: &Transaction<'_>,
    tables: &Tables,
    id: i64,
) -> rusqlite::Result<Option<Camera>> {
    let cameras = &tables.cameras;
    let sql = format!(
        "SELECT {} FROM {} WHERE {} = :id LIMIT 1",
        camera_columns(tables),
        cameras.sql,
        cameras.needed("id"),
    );
    all.prepare_cached(&sql)?
        .query_row(named_params! {":id": id}, camera)
        .optional()
}

/// Whether there is such a row, and it is ready.
pub(super) fn trigger(
    all: &Transaction<'_>,
    tables: &Tables,
    id: i64,
    delay: Duration,
) -> rusqlite::Result<bool> {
    const TRIGGER: &str = concat!(
        "INSERT INTO flatbed_packing_claims (items, item, state, due, triggered_at)
         VALUES (:items, :item, 'waiting', ",
        now!(),
        " + :wait, ",
        now!(),
        ")
         ON CONFLICT (items, item) DO UPDATE SET
            due = CASE state WHEN 'active' THEN max(due, excluded.due) ELSE excluded.due END,
            token = CASE state WHEN 'active' THEN NULL ELSE token END,
            attempts = CASE state WHEN 'waiting' THEN attempts ELSE 0 END,
            losses = CASE state WHEN 'waiting' THEN losses ELSE 0 END,
            reason = CASE state WHEN 'waiting' THEN reason END,
            triggered_at = CASE state WHEN 'waiting'
                THEN coalesce(triggered_at, excluded.triggered_at)
                ELSE excluded.triggered_at END,
            state = 'waiting'"
    );
    let items = &tables.items;
    let ready = format!(
        "SELECT {} FROM {} WHERE {} = :item AND {} = :ready",
        items.needed("end_time"),
        items.sql,
        items.needed("id"),
        items.needed("status"),
    );
    let wait = all
        .prepare_cached(&ready)?
        .query_row(
            named_params! {":item": id, ":ready": tables.statuses.ready},
            |row| Ok(times::wait(row.get_ref(0)?, delay)),
        )
        .optional()?;
    if let Some(wait) = wait {
        all.prepare_cached(TRIGGER)?
            .execute(named_params! {":items": items.sql, ":item": id, ":wait": millis(wait)})?;
    }
    Ok(wait.is_some())
}
