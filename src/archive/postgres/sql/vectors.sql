-- Vectors of pgvector's type, as soon as the extension is there or can be made.
-- Run again by `flatbed migrate`, which converts those that came before it.
DO $step$
DECLARE
    found text;
    place text;
BEGIN
    SELECT format_type(atttypid, NULL) INTO found FROM pg_attribute
    WHERE attrelid = to_regclass('embeddings') AND attname = 'vector' AND NOT attisdropped;
    IF found IS DISTINCT FROM 'real[]' THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
        IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
            RETURN;
        END IF;
        BEGIN
            CREATE EXTENSION vector;
        EXCEPTION WHEN OTHERS THEN
            RETURN; -- As arrays, until somebody makes it who may.
        END;
    END IF;
    SELECT quote_ident(nspname) INTO place FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector';
    EXECUTE format('ALTER TABLE embeddings ALTER COLUMN vector TYPE %s.vector '
        'USING vector::%s.vector', place, place);
END
$step$;
