//! What only looks: cameras, what is waiting, how many rows have each status.

use super::super::names::quoted;
use super::super::order::CAMERA_TEXTS;
use super::super::table::Class;
use super::statements::{Words, begins};

/// Those cameras: their ids, and what their columns are as text.
pub(super) fn cameras(words: &Words<'_>, which: &str) -> String {
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
        "SELECT camera_id, ARRAY[{names}] AS texts
         FROM (SELECT camera.{id}::bigint AS camera_id, {texts}
               FROM {table} AS camera {which}) AS camera",
        names = CAMERA_TEXTS.map(quoted).join(", "),
        texts = texts.join(", "),
        id = cameras.needed("id"),
        table = cameras.sql,
    )
}

/// `$2` item, `$3` token.
pub(super) fn taken_away(words: &Words<'_>) -> String {
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

/// How many were triggered and are not claimed yet.
pub(super) fn waiting(words: &Words<'_>) -> String {
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

/// `$2` the delay after an item's end. Each status by itself, so that an index answers
/// for those of which there are few.
pub(super) fn counts(words: &Words<'_>) -> String {
    let Words {
        items,
        status,
        ready,
        processing,
        generated,
        failed,
        ..
    } = words;
    let of = |word: &str| format!("(SELECT count(*) FROM {items} AS i WHERE i.{status} = {word})");
    format!(
        "SELECT count(*) FILTER (WHERE NOT {is_delayed}) AS waiting,
                count(*) FILTER (WHERE {is_delayed}) AS delayed,
                {active} AS active, {completed} AS completed, {failed} AS failed
         FROM {items} AS i LEFT JOIN flatbed_packing_claims AS c
           ON c.items = $1 AND c.item = {id} AND c.state = 'waiting' AND c.due > now()
         WHERE i.{status} = {ready}",
        is_delayed = format!(
            "(c.item IS NOT NULL OR ({} > now()) IS TRUE)",
            begins(words, "$2")
        ),
        active = of(processing),
        completed = of(generated),
        failed = of(failed),
        id = words.id_of_items(),
    )
}
