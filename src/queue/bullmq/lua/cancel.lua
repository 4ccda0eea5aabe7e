-- Cancels a job, or asks its worker to. ARGV: 1 id, 2 cancelled jobs kept.
local id = ARGV[1]
local job = base .. id
if redis.call('EXISTS', job) == 0 then
    return 'unknown'
end
if redis.call('ZSCORE', base .. 'completed', id) then
    return 'completed'
end
if redis.call('ZSCORE', base .. 'failed', id) then
    return redis.call('HGET', job, 'failedReason') == CANCELLED and 'cancelled' or 'failed'
end
if redis.call('LPOS', base .. 'active', id) then
    -- Good for this claim only: a later one begins afresh.
    redis.call('HSET', job, 'flatbed:cancel', redis.call('HGET', job, 'ats') or '0')
    return 'asked'
end
local prev = 'waiting'
if redis.call('ZREM', base .. 'delayed', id) == 1 then
    prev = 'delayed'
elseif redis.call('ZREM', base .. 'prioritized', id) == 1 then
    prev = 'prioritized'
elseif redis.call('ZREM', base .. 'waiting-children', id) == 1 then
    prev = 'waiting-children'
elseif redis.call('LREM', base .. 'wait', 1, id) == 0 then
    redis.call('LREM', base .. 'paused', 1, id)
end
cancelled(id, prev, tonumber(ARGV[2]), clock())
return 'done'
