-- The table `jobs` of producers, kept in step with the queue by triggers.
--
-- Order of locks: who writes to `jobs` has its row and then waits for the queue's.
-- Who writes to the queue has that row, and waits for the one in `jobs` for 50 ms
-- and no longer, which is less than Postgres takes to look for a deadlock: what it
-- could not write then is noted in flatbed_jobs_behind, and written later.
CREATE TABLE flatbed_jobs_behind (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id  uuid NOT NULL
);
CREATE TABLE flatbed_analysis_settings (
    is_only      boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    max_attempts integer NOT NULL CHECK (max_attempts > 0)
);

DO $step$
DECLARE
    wanted record;
    found text;
    path text;
    rights text;
BEGIN
    IF to_regclass('jobs') IS NULL THEN
        CREATE TABLE jobs (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), video_id uuid);
        CREATE INDEX ON jobs (video_id);
    END IF;
    FOR wanted IN SELECT * FROM (VALUES
        ('id', 'uuid', '{uuid}'::text[]),
        ('video_id', 'uuid', '{uuid}'),
        ('status', $$text DEFAULT 'queued'$$, '{text,character varying}'),
        ('attempts', 'integer DEFAULT 0', '{integer,smallint,bigint}'),
        ('error', 'text', '{text}'),
        ('created_at', 'timestamptz DEFAULT now()',
            '{timestamp with time zone,timestamp without time zone}'),
        ('updated_at', 'timestamptz DEFAULT now()',
            '{timestamp with time zone,timestamp without time zone}')
    ) AS columns (called, made, types) LOOP
        SELECT format_type(atttypid, NULL) INTO found FROM pg_attribute
        WHERE attrelid = to_regclass('jobs') AND attname = wanted.called
          AND attnum > 0 AND NOT attisdropped;
        IF found IS NULL THEN
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s',
                to_regclass('jobs'), wanted.called, wanted.made);
        ELSIF found <> ALL (wanted.types) THEN
            RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch', MESSAGE = format(
                'column %s of the table %s is %s and must be %s: alter it, or give Flatbed '
                'a schema of its own (DATABASE_URL with ?options=-c%%20search_path%%3DNAME)',
                wanted.called, to_regclass('jobs'), found,
                array_to_string(wanted.types, ' or '));
        END IF;
    END LOOP;

    -- Producers need rights on videos and jobs alone. Functions that run with their
    -- owner's rights look for names where they were made, and nowhere else.
    SELECT string_agg(quote_ident(name), ', ') || ', pg_temp' INTO path
    FROM unnest(current_schemas(false)) AS name;
    rights := 'SECURITY DEFINER SET search_path = ' || path;

    -- Somebody wants a job: anew, whatever became of it before.
    EXECUTE format($make$
    CREATE FUNCTION flatbed_job_wanted(wanted uuid, video uuid, charged bigint)
    RETURNS void LANGUAGE plpgsql %s AS $body$
    DECLARE
        most integer := coalesce(
            (SELECT max_attempts FROM flatbed_analysis_settings), 3);
        url text := (SELECT source_url FROM videos WHERE id = video);
        written bigint;
        spent integer := least(greatest(coalesce(charged, 0), 0), most);
    BEGIN
        PERFORM set_config('flatbed.asked', wanted::text, true);
        INSERT INTO flatbed_jobs AS job
            (queue, id, name, payload, attempts, max_attempts, state, finished_at,
             failed_reason)
        VALUES ('video-analysis', wanted::text, 'analyze',
            convert_to(json_strip_nulls(json_build_object(
                'video_id', video, 'source_url', url))::text, 'UTF8'),
            spent, most,
            CASE WHEN spent < most THEN 'queued' ELSE 'failed' END,
            CASE WHEN spent >= most THEN now() END,
            CASE WHEN spent >= most THEN
                format('its attempts were used up before it came (%%s of %%s)', spent, most) END)
        ON CONFLICT (queue, id) DO UPDATE SET
            payload = EXCLUDED.payload, attempts = EXCLUDED.attempts,
            max_attempts = EXCLUDED.max_attempts, state = EXCLUDED.state,
            finished_at = EXCLUDED.finished_at, failed_reason = EXCLUDED.failed_reason,
            due = now(), token = NULL, losses = 0, cancel_asked = false,
            progress = NULL, result = NULL
        WHERE job.state <> 'active';
        GET DIAGNOSTICS written = ROW_COUNT;
        PERFORM set_config('flatbed.asked', '', true);
        IF written > 0 THEN
            PERFORM pg_notify('flatbed_jobs', 'video-analysis');
            RETURN;
        END IF;
        -- A worker has it: it goes on, and nobody wants it cancelled any more.
        UPDATE flatbed_jobs SET cancel_asked = false
        WHERE queue = 'video-analysis' AND id = wanted::text AND state = 'active';
        UPDATE jobs SET status = 'processing' WHERE id = wanted AND status <> 'processing';
    END
    $body$ $make$, rights);

    EXECUTE format($make$
    CREATE FUNCTION flatbed_job_unwanted(unwanted uuid)
    RETURNS void LANGUAGE plpgsql %s AS $body$
    DECLARE
        becomes text;
    BEGIN
        UPDATE flatbed_jobs SET
            state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
            finished_at = CASE state WHEN 'queued' THEN now() END,
            cancel_asked = (state = 'active')
        WHERE queue = 'video-analysis' AND id = unwanted::text
          AND state IN ('queued', 'active')
        RETURNING state INTO becomes;
        IF becomes = 'active' THEN
            PERFORM pg_notify('flatbed_cancels', 'video-analysis');
        END IF;
    END
    $body$ $make$, rights);

    EXECUTE format($make$
    CREATE FUNCTION flatbed_job_asked() RETURNS trigger LANGUAGE plpgsql %s AS $body$
    BEGIN
        -- Written by the trigger below. (Another trigger on `jobs` may write other rows
        -- meanwhile, which are asked for as any.)
        IF TG_OP <> 'DELETE' AND current_setting('flatbed.mirrored', true) = NEW.id::text THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'INSERT' THEN
            IF NEW.status = 'queued' THEN
                PERFORM flatbed_job_wanted(NEW.id, NEW.video_id, NEW.attempts);
            END IF;
            RETURN NULL;
        END IF;
        IF TG_OP = 'DELETE' THEN
            PERFORM flatbed_job_unwanted(OLD.id);
            RETURN NULL;
        END IF;
        IF NEW.id <> OLD.id THEN
            PERFORM flatbed_job_unwanted(OLD.id);
        END IF;
        IF NEW.status = 'queued' AND (OLD.status IS DISTINCT FROM 'queued'
            OR NEW.id <> OLD.id OR NEW.video_id IS DISTINCT FROM OLD.video_id)
        THEN
            -- What was used up before it ended counts only if somebody says so.
            PERFORM flatbed_job_wanted(NEW.id, NEW.video_id, CASE
                WHEN OLD.status = 'queued' OR NEW.attempts IS DISTINCT FROM OLD.attempts
                THEN NEW.attempts ELSE 0 END);
        ELSIF NEW.status IN ('cancelled', 'canceled')
            AND NEW.status IS DISTINCT FROM OLD.status
        THEN
            PERFORM flatbed_job_unwanted(NEW.id);
        END IF;
        RETURN NULL;
    END
    $body$ $make$, rights);

    -- Tells `jobs` what it could not be told before. Waits for nobody.
    EXECUTE format($make$
    CREATE FUNCTION flatbed_jobs_catch_up() RETURNS bigint LANGUAGE plpgsql %s AS $body$
    DECLARE
        late record;
        told bigint := 0;
    BEGIN
        FOR late IN SELECT seq, id FROM flatbed_jobs_behind ORDER BY seq LIMIT 100
            FOR UPDATE SKIP LOCKED
        LOOP
            PERFORM FROM jobs WHERE id = late.id FOR NO KEY UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND AND EXISTS (SELECT FROM jobs WHERE id = late.id);
            PERFORM set_config('flatbed.mirrored', late.id::text, true);
            -- A look after the lock: nobody has written in between.
            UPDATE jobs SET status = CASE job.state WHEN 'active' THEN 'processing'
                    ELSE job.state END,
                attempts = job.attempts, error = job.failed_reason, updated_at = now()
            FROM flatbed_jobs AS job
            WHERE jobs.id = late.id AND job.queue = 'video-analysis'
              AND job.id = late.id::text;
            DELETE FROM flatbed_jobs_behind WHERE seq = late.seq;
            told := told + 1;
        END LOOP;
        PERFORM set_config('flatbed.mirrored', '', true);
        RETURN told;
    END
    $body$ $make$, rights);

    EXECUTE format($make$
    CREATE FUNCTION flatbed_job_moved() RETURNS trigger LANGUAGE plpgsql
    SET lock_timeout = '50ms' %s AS $body$
    DECLARE
        becomes text := CASE NEW.state WHEN 'active' THEN 'processing' ELSE NEW.state END;
        before text := coalesce(current_setting('flatbed.mirrored', true), '');
        video uuid;
    BEGIN
        IF NEW.id !~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
            RETURN NULL;
        END IF;
        PERFORM set_config('flatbed.mirrored', NEW.id::uuid::text, true);
        IF TG_OP = 'INSERT' AND current_setting('flatbed.asked', true) IS DISTINCT FROM NEW.id
        THEN
            -- It came by another way, and shows in `jobs` as far as that takes it.
            BEGIN
                video := convert_from(NEW.payload, 'UTF8')::jsonb ->> 'video_id';
                IF video IS NOT NULL THEN
                    INSERT INTO videos (id) VALUES (video) ON CONFLICT DO NOTHING;
                    INSERT INTO jobs (id, video_id, status, attempts, error)
                    VALUES (NEW.id::uuid, video, becomes, NEW.attempts, NEW.failed_reason)
                    ON CONFLICT DO NOTHING;
                END IF;
            EXCEPTION WHEN data_exception OR integrity_constraint_violation
                OR lock_not_available OR deadlock_detected THEN
                NULL;
            END;
            PERFORM set_config('flatbed.mirrored', before, true);
            RETURN NULL;
        END IF;
        IF becomes = 'cancelled' THEN
            -- Nobody has it in hand who could say so. One that another job is at work
            -- with is none of its business.
            BEGIN
                UPDATE videos SET status = 'failed', error = 'cancelled', updated_at = now()
                WHERE id = (convert_from(NEW.payload, 'UTF8')::jsonb ->> 'video_id')::uuid
                  AND analysis_job_id = NEW.id AND status IN ('queued', 'processing');
            EXCEPTION WHEN data_exception OR lock_not_available OR deadlock_detected THEN
                NULL;
            END;
        END IF;
        BEGIN
            UPDATE jobs SET status = becomes, attempts = NEW.attempts,
                error = NEW.failed_reason, updated_at = now()
            WHERE id = NEW.id::uuid AND (status, attempts, error)
                IS DISTINCT FROM (becomes, NEW.attempts, NEW.failed_reason);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            INSERT INTO flatbed_jobs_behind (id) VALUES (NEW.id::uuid);
        END;
        PERFORM set_config('flatbed.mirrored', before, true);
        RETURN NULL;
    END
    $body$ $make$, rights);

    -- Or somebody could hang them to a table of his own.
    REVOKE ALL ON FUNCTION flatbed_job_wanted(uuid, uuid, bigint),
        flatbed_job_unwanted(uuid), flatbed_job_asked(), flatbed_job_moved() FROM PUBLIC;

    CREATE TRIGGER flatbed_job_asked AFTER INSERT OR UPDATE OR DELETE ON jobs
        FOR EACH ROW EXECUTE FUNCTION flatbed_job_asked();
    CREATE TRIGGER flatbed_job_came AFTER INSERT ON flatbed_jobs
        FOR EACH ROW WHEN (NEW.queue = 'video-analysis')
        EXECUTE FUNCTION flatbed_job_moved();
    CREATE TRIGGER flatbed_job_moved
        AFTER UPDATE OF state, attempts, failed_reason ON flatbed_jobs
        FOR EACH ROW WHEN (NEW.queue = 'video-analysis'
            AND (OLD.state, OLD.attempts, OLD.failed_reason)
                IS DISTINCT FROM (NEW.state, NEW.attempts, NEW.failed_reason))
        EXECUTE FUNCTION flatbed_job_moved();
END
$step$;

-- What was there before the triggers.
SELECT flatbed_job_wanted(id, video_id, attempts)
FROM (SELECT * FROM jobs WHERE status = 'queued' ORDER BY created_at, id) AS waiting
WHERE NOT EXISTS (SELECT FROM flatbed_jobs
    WHERE queue = 'video-analysis' AND flatbed_jobs.id = waiting.id::text);
