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
redis.call('HSET', job, 'flatbed:settled', claim)

local is_asked = redis.call('HGET', job, 'flatbed:cancel') == claim
if outcome == 'cancelled' or (is_asked and (outcome == 'retry' or outcome == 'put back')) then
    if outcome ~= 'put back' then
        redis.call('HINCRBY', job, 'atm', 1)
    end
    cancelled(id, 'active', tonumber(ARGV[9]), now)
elseif outcome == 'put back' then
    enqueue(id, true)
    event('waiting', 'jobId', id, 'prev', 'active')
    wake()
else
    redis.call('HINCRBY', job, 'atm', 1)
    if outcome == 'done' then
        redis.call('HDEL', job, 'failedReason')
        redis.call('HSET', job, 'returnvalue', value)
        finish('completed', id, now)
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
end
-- A limit on how many are active may have kept others from the next.
if redis.call('HEXISTS', base .. 'meta', 'concurrency') == 1 then
    wake()
end
return 1
