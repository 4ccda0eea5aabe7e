-- Videos and what is known of them. Tables that are there already, as a producer's
-- own, are taken as they are: columns that are missing are added, and those of
-- another type are refused by name.
DO $step$
DECLARE
    is_sound boolean;
    wanted record;
    found text;
    foreign_column text;
BEGIN
    -- All are looked at before anything is made.
    FOREACH is_sound IN ARRAY '{false,true}'::boolean[] LOOP
        IF is_sound THEN
            IF to_regclass('videos') IS NULL THEN
                CREATE TABLE videos (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
            END IF;
            IF to_regclass('transcripts') IS NULL THEN
                CREATE TABLE transcripts (
                    video_id uuid PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE);
            END IF;
            IF to_regclass('scenes') IS NULL THEN
                CREATE TABLE scenes (
                    video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
                    index    integer NOT NULL,
                    PRIMARY KEY (video_id, index));
            END IF;
            IF to_regclass('frames') IS NULL THEN
                CREATE TABLE frames (
                    video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
                    index    integer NOT NULL,
                    PRIMARY KEY (video_id, index));
            END IF;
            IF to_regclass('embeddings') IS NULL THEN
                CREATE TABLE embeddings (
                    video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
                    kind     text NOT NULL,
                    index    integer NOT NULL,
                    PRIMARY KEY (video_id, kind, index));
            END IF;
        END IF;
        FOR wanted IN SELECT * FROM (VALUES
            ('videos', 'id', 'uuid', '{uuid}'::text[]),
            ('videos', 'source_url', 'text', '{text,character varying}'),
            ('videos', 'status', $$text DEFAULT 'queued'$$, '{text,character varying}'),
            ('videos', 'error', 'text', '{text}'),
            -- What source_url may be shown as: without signatures and passwords.
            ('videos', 'shown_url', 'text', '{text}'),
            -- Changes with the video's content.
            ('videos', 'source_version', 'text', '{text}'),
            -- The job that looks at it, did so last, or was asked for.
            ('videos', 'analysis_job_id', 'text', '{text}'),
            ('videos', 'duration_seconds', 'double precision', '{double precision}'),
            ('videos', 'width', 'integer', '{integer,bigint}'),
            ('videos', 'height', 'integer', '{integer,bigint}'),
            ('videos', 'proxy_key', 'text', '{text}'),
            ('videos', 'steps', 'jsonb', '{jsonb}'),
            ('videos', 'notes', 'jsonb', '{jsonb}'),
            ('videos', 'created_at', 'timestamptz DEFAULT now()',
                '{timestamp with time zone,timestamp without time zone}'),
            ('videos', 'updated_at', 'timestamptz DEFAULT now()',
                '{timestamp with time zone,timestamp without time zone}'),
            ('transcripts', 'video_id', 'uuid', '{uuid}'),
            ('transcripts', 'language', 'text', '{text}'),
            ('transcripts', 'text', 'text', '{text}'),
            -- [{"start": 0.0, "end": 1.5, "text": "..."}], times in seconds.
            ('transcripts', 'segments', 'jsonb', '{jsonb}'),
            -- What was sent to the recogniser, and whether it answered.
            ('transcripts', 'pieces', 'jsonb', '{jsonb}'),
            ('scenes', 'video_id', 'uuid', '{uuid}'),
            ('scenes', 'index', 'integer', '{integer}'),
            ('scenes', 'start_seconds', 'double precision', '{double precision}'),
            ('scenes', 'end_seconds', 'double precision', '{double precision}'),
            ('frames', 'video_id', 'uuid', '{uuid}'),
            ('frames', 'index', 'integer', '{integer}'),
            ('frames', 'scene', 'integer', '{integer}'),
            ('frames', 'at_seconds', 'double precision', '{double precision}'),
            ('frames', 'width', 'integer', '{integer}'),
            ('frames', 'height', 'integer', '{integer}'),
            ('frames', 'bytes', 'bigint', '{bigint}'),
            -- JPEG: here, or under this key in the store.
            ('frames', 'image', 'bytea', '{bytea}'),
            ('frames', 'object_key', 'text', '{text}'),
            ('frames', 'caption', 'text', '{text}'),
            -- Why the model would not say what is to be seen.
            ('frames', 'refusal', 'text', '{text}'),
            ('embeddings', 'video_id', 'uuid', '{uuid}'),
            ('embeddings', 'kind', 'text', '{text}'),
            ('embeddings', 'index', 'integer', '{integer}'),
            ('embeddings', 'start_seconds', 'double precision', '{double precision}'),
            ('embeddings', 'end_seconds', 'double precision', '{double precision}'),
            ('embeddings', 'text', 'text', '{text}'),
            ('embeddings', 'model', 'text', '{text}'),
            ('embeddings', 'dimensions', 'integer', '{integer}'),
            -- pgvector's type where the extension is there.
            ('embeddings', 'vector', 'real[]', '{real[],vector}')
        ) AS columns (name, called, made, types) LOOP
            SELECT format_type(atttypid, NULL) INTO found FROM pg_attribute
            WHERE attrelid = to_regclass(wanted.name) AND attname = wanted.called
              AND attnum > 0 AND NOT attisdropped;
            IF found IS NULL AND is_sound THEN
                EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s',
                    to_regclass(wanted.name), wanted.called, wanted.made);
            ELSIF regexp_replace(found, '^.*\.', '') <> ALL (wanted.types) THEN
                RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch', MESSAGE = format(
                    'column %s of the table %s is %s and must be %s: alter it, or give Flatbed '
                    'a schema of its own (DATABASE_URL with ?options=-c%%20search_path%%3DNAME)',
                    wanted.called, to_regclass(wanted.name), found,
                    array_to_string(wanted.types, ' or '));
            END IF;
        END LOOP;
    END LOOP;

    -- A row of Flatbed's would be refused by them.
    SELECT string_agg(format('%s.%s', attrelid::regclass, attname), ', ')
    INTO foreign_column FROM pg_attribute
    WHERE attrelid IN (to_regclass('transcripts'), to_regclass('scenes'),
                       to_regclass('frames'), to_regclass('embeddings'))
      AND attnum > 0 AND NOT attisdropped AND attnotnull AND NOT atthasdef
      AND attidentity = ''
      AND attname NOT IN ('video_id', 'index', 'kind', 'scene', 'at_seconds', 'width',
                          'height', 'bytes', 'start_seconds', 'end_seconds', 'text', 'model',
                          'dimensions', 'vector', 'segments', 'pieces');
    IF foreign_column IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = format(
            '%s must have a value that Flatbed does not know: give it a default, or give '
            'Flatbed a schema of its own (DATABASE_URL with ?options=-c%%20search_path%%3DNAME)',
            foreign_column);
    END IF;

    -- JPEGs do not get any smaller.
    ALTER TABLE frames ALTER COLUMN image SET STORAGE EXTERNAL;
END
$step$;
