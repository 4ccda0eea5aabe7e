-- The next job that a claim has set aside and that nobody was told of yet.
-- ARGV: 1 the id that the caller was given before and has dealt with, or '', 2 how long
-- nobody else is given this one (ms).
-- Returns nothing, or {id, payload, reason}.
write_even_if_full()
if ARGV[1] ~= '' then
    redis.call('ZREM', untold, ARGV[1])
end
local now = clock()
while true do
    local id = redis.call('ZRANGEBYSCORE', untold, '-inf', whole(now), 'LIMIT', 0, 1)[1]
    if not id then
        return {}
    end
    local job = redis.call('HMGET', key(id), 'payload', 'reason')
    if job[1] then
        redis.call('ZADD', untold, whole(now + tonumber(ARGV[2])), id)
        return { id, job[1], job[2] or '' }
    end
    redis.call('ZREM', untold, id)
end
