-- Ends an attempt.
-- ARGV: 1 id, 2 token, 3 what came of it, 4 the reason, 5 how long a retry waits
-- (ms), 6 dead jobs kept, 7 how long a repeated call is known (ms).
local id, outcome = ARGV[1], ARGV[3]
local settled = base .. 'settled:' .. ARGV[2]
if not holds(id, ARGV[2]) then
    -- A call whose answer was lost is repeated.
    return redis.call('EXISTS', settled)
end
local now = clock()
redis.call('ZREM', active, id)
redis.call('HDEL', key(id), 'token')
redis.call('SET', settled, '', 'PX', ARGV[7])
if outcome == 'gone' then
    redis.call('UNLINK', key(id))
elseif outcome == 'put back' then
    redis.call('HINCRBY', key(id), 'attempts', -1)
    redis.call('RPUSH', ready, id)
elseif outcome == 'retry' then
    redis.call('HSET', key(id), 'reason', ARGV[4])
    redis.call('ZADD', delayed, whole(now + tonumber(ARGV[5])), id)
else
    set_aside(id, ARGV[4], tonumber(ARGV[6]), now)
end
return 1
