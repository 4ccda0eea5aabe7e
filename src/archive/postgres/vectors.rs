//! Vectors: pgvector's where the extension is, arrays where it is not.
//!
//! Arrays are fetched page by page and compared here: measured against cosines in
//! SQL, that takes a fraction of the time, and no more memory than a page.

use std::sync::{MutexGuard, PoisonError};

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Shared;
use super::writing::{delete, mine};
use crate::archive::model::{Kind, Passage, seconds};
use crate::archive::nearest::{Compass, Nearest, limit};
use crate::archive::{Embedding, Error, Hit, Query, Result, Writer};
use crate::queue;
use crate::queue::postgres::LONGEST_MIGRATION;
use crate::queue::postgres::connection::{self, Parameters};
use crate::queue::postgres::rows::text;

/// Has the column be pgvector's, if that can be.
pub(super) const CONVERT: &str = include_str!("sql/vectors.sql");

/// An index that is filtered goes on until it has as many as were asked for; versions
/// of pgvector before 0.8 cannot.
pub(super) const SETUP: &str = "DO $$ BEGIN
        PERFORM set_config('hnsw.iterative_scan', 'strict_order', false);
    EXCEPTION WHEN OTHERS THEN NULL; END $$";

/// Rows of a page, which is some 4 MiB of vectors of 1536 dimensions.
const PAGE: i64 = 512;

/// How vectors are kept in this database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Vectors {
    /// As arrays of numbers.
    Arrays,
    /// As pgvector's, whose names are in this schema.
    Pgvector(String),
}

/// The index of vectors of so many dimensions.
struct Index<'a> {
    place: &'a str,
    dimensions: usize,
}

impl Index<'_> {
    /// The type that an index can hold; more than 4000 dimensions have none.
    fn kind(&self) -> Option<&'static str> {
        match self.dimensions {
            1..=2000 => Some("vector"),
            2001..=4000 => Some("halfvec"),
            _ => None,
        }
    }

    /// What is compared, of the column and of the query.
    fn compared(&self, value: &str) -> String {
        let Self { place, dimensions } = self;
        match self.kind() {
            Some(kind) => format!("{value}::{place}.{kind}({dimensions})"),
            None => value.to_owned(),
        }
    }

    fn name(&self) -> String {
        format!("flatbed_embeddings_{}", self.dimensions)
    }

    /// Made while nobody waits for more than the rows that there are.
    fn make(&self) -> Option<String> {
        let Self { place, dimensions } = self;
        let (kind, name) = (self.kind()?, self.name());
        let compared = self.compared("vector");
        Some(format!(
            "CREATE INDEX IF NOT EXISTS {name} ON embeddings
             USING hnsw (({compared}) {place}.{kind}_cosine_ops) WHERE dimensions = {dimensions}"
        ))
    }
}

impl Shared {
    /// How vectors are kept here.
    async fn vectors(&self) -> Result<Vectors> {
        const LOOK: &str = "
            SELECT CASE WHEN typname = 'vector' THEN quote_ident(nspname) END
            FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
            JOIN pg_namespace ON pg_namespace.oid = typnamespace
            WHERE attrelid = to_regclass('embeddings') AND attname = 'vector'";
        if let Some(known) = self.known().clone() {
            return Ok(known);
        }
        let row = self.lane.query_row(LOOK, &[]).await?;
        let place = row
            .map(|row| row.try_get::<_, Option<String>>(0))
            .transpose();
        let place = place.map_err(|error| self.unreadable(error))?.flatten();
        let vectors = place.map_or(Vectors::Arrays, Vectors::Pgvector);
        *self.known() = Some(vectors.clone());
        Ok(vectors)
    }

    fn known(&self) -> MutexGuard<'_, Option<Vectors>> {
        self.vectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody may have converted the column.
    fn heed<T>(&self, answer: Result<T>) -> Result<T> {
        if let Err(Error::Database(queue::Error::Refused { .. })) = &answer {
            *self.known() = None;
        }
        answer
    }

    pub(super) async fn embeddings(&self, video: Uuid, model: &str) -> Result<Vec<Embedding>> {
        const ALL: &str = "
            SELECT kind, index, start_seconds, end_seconds, text, vector::real[]
            FROM embeddings WHERE video_id = $1 AND model = $2 ORDER BY kind, index";
        let rows = self.lane.query(ALL, &[&video, &text(model)]).await?;
        let read = |row: &Row| {
            Ok(Embedding {
                passage: self.passage(video, row, 0)?,
                vector: row.try_get(5).map_err(|error| self.unreadable(error))?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(super) async fn keep_embeddings(
        &self,
        writer: &Writer,
        model: &str,
        all: &[Embedding],
    ) -> Result<()> {
        let vectors = self.vectors().await?;
        if let Vectors::Pgvector(place) = &vectors {
            let mut sizes: Vec<usize> = all.iter().map(|one| one.vector.len()).collect();
            sizes.sort_unstable();
            sizes.dedup();
            for dimensions in sizes {
                self.index_first(&Index { place, dimensions }).await;
            }
        }
        let written = self.write_embeddings(&vectors, writer, model, all).await;
        self.heed(written)
    }

    async fn write_embeddings(
        &self,
        vectors: &Vectors,
        writer: &Writer,
        model: &str,
        all: &[Embedding],
    ) -> Result<()> {
        let video = writer.video;
        let cast = match vectors {
            Vectors::Arrays => String::new(),
            Vectors::Pgvector(place) => format!("::{place}.vector"),
        };
        let insert = format!(
            "INSERT INTO embeddings (video_id, kind, index, start_seconds, end_seconds, text,
                 model, dimensions, vector)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::real[]{cast})"
        );
        let writing = self.lane.begin().await?;
        mine(&writing, writer).await?;
        delete(&writing, "embeddings", video).await?;
        for one in all {
            let passage = &one.passage;
            let index = i32::try_from(passage.index).unwrap_or(i32::MAX);
            let dimensions = i32::try_from(one.vector.len()).unwrap_or(i32::MAX);
            let values: Parameters<'_> = &[
                &video,
                &passage.kind.as_str(),
                &index,
                &passage.start.as_secs_f64(),
                &passage.end.as_secs_f64(),
                &text(&passage.text),
                &text(model),
                &dimensions,
                &one.vector,
            ];
            writing.execute(&insert, values).await?;
        }
        Ok(writing.commit().await?)
    }

    /// Makes the index where these are the first vectors of their size, so that it
    /// takes no time. One that is missing later is made by `flatbed migrate`.
    async fn index_first(&self, index: &Index<'_>) {
        const IS_FIRST: &str = "SELECT WHERE to_regclass($1::text) IS NULL
            AND NOT EXISTS (SELECT FROM embeddings WHERE dimensions = $2)";
        let Some(make) = index.make() else {
            return;
        };
        let dimensions = i32::try_from(index.dimensions).unwrap_or(i32::MAX);
        let made = async {
            let is_first: Parameters<'_> = &[&index.name(), &dimensions];
            if self.lane.execute(IS_FIRST, is_first).await? > 0 {
                self.lane.execute(&make, &[]).await?;
            }
            Ok::<_, queue::Error>(())
        };
        if let Err(error) = made.await {
            // Without it a search takes longer, and finds the same.
            tracing::warn!(%error, dimensions, "vectors are kept without an index; \
                run `flatbed migrate` as the owner of the table embeddings");
        }
    }

    /// Makes the indexes that are missing.
    pub(super) async fn index_all(&self) -> Result<()> {
        *self.known() = None;
        let Vectors::Pgvector(place) = self.vectors().await? else {
            return Ok(());
        };
        let sql = "SELECT DISTINCT dimensions FROM embeddings WHERE dimensions > 0";
        let mut making = Vec::new();
        for row in self.lane.query(sql, &[]).await? {
            let dimensions: i32 = row.try_get(0).map_err(|error| self.unreadable(error))?;
            let dimensions = usize::try_from(dimensions).unwrap_or_default();
            let place = &place;
            making.extend(Index { place, dimensions }.make());
        }
        Ok(connection::at_leisure(&self.address, &making, LONGEST_MIGRATION).await?)
    }

    pub(super) async fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        let found = match self.vectors().await? {
            Vectors::Pgvector(place) => self.have_searched(&place, query).await,
            Vectors::Arrays => self.compare(query).await,
        };
        self.heed(found)
    }

    /// Has pgvector search.
    async fn have_searched(&self, place: &str, query: &Query) -> Result<Vec<Hit>> {
        let dimensions = query.vector.len();
        let index = Index { place, dimensions };
        let asked = format!("$1::real[]::{place}.vector");
        let (column, near) = (index.compared("vector"), index.compared(&asked));
        let here = match query.video {
            Some(_) => " AND video_id = $4",
            None => "",
        };
        // What an index finds by halves is put in order by the whole.
        let sql = format!(
            "WITH near AS MATERIALIZED (
                SELECT * FROM embeddings
                WHERE dimensions = {dimensions} AND model = $2{here}
                ORDER BY {column} OPERATOR({place}.<=>) {near} LIMIT $3)
             SELECT video_id, kind, index, start_seconds, end_seconds, text,
                 (1 - (vector OPERATOR({place}.<=>) {asked}))::real AS score
             FROM near ORDER BY score DESC, video_id, kind, index"
        );
        let limit = i64::try_from(limit(query.limit)).unwrap_or_default();
        let model = text(&query.model);
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![&query.vector, &model, &limit];
        if let Some(video) = &query.video {
            values.push(video);
        }
        let rows = self.lane.query(&sql, &values).await?;
        let hit = |row: &Row| {
            let unreadable = |error| self.unreadable(error);
            let video_id = row.try_get(0).map_err(unreadable)?;
            let score: f32 = row.try_get(6).map_err(unreadable)?;
            Ok(Hit {
                video_id,
                passage: self.passage(video_id, row, 1)?,
                // A vector without a direction is near to none.
                score: if score.is_finite() { score } else { 0.0 },
            })
        };
        rows.iter().map(hit).collect()
    }

    /// Searches here, in pages.
    async fn compare(&self, query: &Query) -> Result<Vec<Hit>> {
        const PAGES: &str = "
            SELECT video_id, kind, index, start_seconds, end_seconds, text, vector::real[]
            FROM embeddings
            WHERE (video_id, kind, index) > ($3, $4, $5) AND model = $1 AND dimensions = $2
              AND video_id <= $6
            ORDER BY video_id, kind, index LIMIT $7";
        let compass = Compass::new(&query.vector);
        let dimensions = i32::try_from(query.vector.len()).unwrap_or(i32::MAX);
        let model = text(&query.model);
        let mut nearest = Nearest::new(query.limit);
        let first = query.video.unwrap_or(Uuid::nil());
        let last = query.video.unwrap_or(Uuid::max());
        let mut behind = (first, String::new(), -1_i32);
        loop {
            let (video, kind, index) = &behind;
            let values: Parameters<'_> = &[&model, &dimensions, video, kind, index, &last, &PAGE];
            let rows = self.lane.query(PAGES, values).await?;
            for row in &rows {
                let unreadable = |error| self.unreadable(error);
                let video_id = row.try_get(0).map_err(unreadable)?;
                let vector: Vec<f32> = row.try_get(6).map_err(unreadable)?;
                let Some(score) = compass.cosine(&vector) else {
                    continue;
                };
                let passage = self.passage(video_id, row, 1)?;
                nearest.offer(score, || Hit {
                    video_id,
                    passage,
                    score,
                });
            }
            let Some(row) = rows.last().filter(|_| rows.len() >= page()) else {
                return Ok(nearest.hits());
            };
            let unreadable = |error| self.unreadable(error);
            behind = (
                row.try_get(0).map_err(unreadable)?,
                row.try_get(1).map_err(unreadable)?,
                row.try_get(2).map_err(unreadable)?,
            );
        }
    }

    /// The columns from `first` on: kind, index, start, end, text.
    fn passage(&self, video: Uuid, row: &Row, first: usize) -> Result<Passage> {
        let unreadable = |error| self.unreadable(error);
        let kind: &str = row.try_get(first).map_err(unreadable)?;
        let kind = match kind {
            "speech" => Kind::Speech,
            "frame" => Kind::Frame,
            other => {
                return Err(Error::Unreadable {
                    what: format!("a row of embeddings of video {video}"),
                    reason: format!("its kind is {other:?}"),
                });
            }
        };
        let index: i32 = row.try_get(first + 1).map_err(unreadable)?;
        Ok(Passage {
            kind,
            index: u32::try_from(index).unwrap_or_default(),
            start: seconds::of(row.try_get(first + 2).map_err(unreadable)?),
            end: seconds::of(row.try_get(first + 3).map_err(unreadable)?),
            text: row.try_get(first + 4).map_err(unreadable)?,
        })
    }
}

fn page() -> usize {
    usize::try_from(PAGE).unwrap_or_default()
}
