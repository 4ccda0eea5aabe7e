-- Ends an attempt.
-- ARGV: 1 id, 2 token, 3 `ats`, 4 what came of it, 5 the result (JSON) or the reason,
-- 6 how long a retry waits (ms), 7 finished jobs kept, 8 for how long (ms),
-- 9 cancelled jobs kept.
local id, claim, outcome, value = ARGV[1], ARGV[3], ARGV[4], ARGV[5]
local job = base .. id
if not holds(id, ARGV[2], claim) then
    -- A call whose answer was lost is repeated.
    return redis.call('HGET', job, 'flatbed:settled') == claim and 1 or 0
end
local now = clock()

-- First what is allowed when Redis is out of memory: then all is.
redis.call('LREM', base .. 'active', 1, id)
redis.call('DEL', job .. ':lock')
redis.call('SREM', base .. 'stalled', id)

local made, asked, failed =
    unpack(redis.call('HMGET', job, 'atm', 'flatbed:cancel', 'failedReason'))
made = (tonumber(made) or 0) + (outcome == 'put back' and 0 or 1)
redis.call('HSET', job, 'flatbed:settled', claim, 'atm', whole(made))

local is_asked = asked == claim
if outcome == 'cancelled' or (is_asked and (outcome == 'retry' or outcome == 'put back')) then
    cancelled(id, 'active', tonumber(ARGV[9]), now)
elseif outcome == 'put back' then
    enqueue(id, true)
    event('waiting', 'jobId', id, 'prev', 'active')
    wake()
elseif outcome == 'done' then
    if failed then
        redis.call('HDEL', job, 'failedReason')
    end
    finish('completed', id, now, 'returnvalue', value)
    event('completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
    trim('completed', tonumber(ARGV[7]), tonumber(ARGV[8]), now)
elseif outcome == 'failed' then
    fail(id, value, 'active', now)
    trim('failed', tonumber(ARGV[7]), tonumber(ARGV[8]), now)
else
    note(id, value)
    local wait = tonumber(ARGV[6])
    redis.call('HSET', job, 'delay', whole(wait))
    if wait > 0 then
        delay(id, now + wait)
        event('delayed', 'jobId', id, 'delay', whole(now + wait))
    else
        enqueue(id, false)
        event('waiting', 'jobId', id, 'prev', 'active')
        wake()
    end
end
-- A limit on how many are active may have kept others from the next.
if settings()[2] then
    wake()
end
return 1
