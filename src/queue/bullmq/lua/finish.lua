-- The reason that tells a cancelled job, which BullMQ has no state for, from a
-- failed one.
local CANCELLED = 'cancelled'

local function unlink(id)
    local job = base .. id
    redis.call(
        'UNLINK', job, job .. ':lock', job .. ':logs', job .. ':dependencies',
        job .. ':processed', job .. ':failed', job .. ':unsuccessful'
    )
end

local function forget(set, id)
    redis.call('ZREM', base .. set, id)
    redis.call('ZREM', base .. 'flatbed:cancelled', id)
    unlink(id)
end

-- What is no longer a cancelled job, since somebody else removed or retried it,
-- leaves the list of the cancelled ones.
local function tidy_cancelled()
    for _, id in ipairs(redis.call('ZRANGE', base .. 'flatbed:cancelled', 0, -1)) do
        if not redis.call('ZSCORE', base .. 'failed', id)
            or redis.call('HGET', base .. id, 'failedReason') ~= CANCELLED then
            redis.call('ZREM', base .. 'flatbed:cancelled', id)
        end
    end
end

-- Forgets the oldest jobs of a set past the `count` last, and those older than
-- `age` milliseconds; -1 stands for no such limit. Cancelled jobs are counted
-- apart from failed ones.
local function trim(set, count, age, now)
    if age >= 0 then
        local old = redis.call(
            'ZRANGEBYSCORE', base .. set, '-inf', whole(now - age), 'LIMIT', 0, 1000
        )
        for _, id in ipairs(old) do
            forget(set, id)
        end
    end
    if count < 0 then
        return
    end
    local excess = redis.call('ZCARD', base .. set) - count
    if set == 'failed' then
        excess = excess - redis.call('ZCARD', base .. 'flatbed:cancelled')
    end
    if excess <= 0 then
        return
    end
    if set ~= 'failed' then
        local oldest = redis.call('ZPOPMIN', base .. set, math.min(excess, 1000))
        for index = 1, #oldest, 2 do
            unlink(oldest[index])
        end
        return
    end
    local first = 0
    repeat
        -- Most often one is to go, and it is the first.
        local last = first + math.min(excess + 9, 999)
        local oldest = redis.call('ZRANGE', base .. set, first, last)
        for _, id in ipairs(oldest) do
            if excess <= 0 then
                return
            end
            if redis.call('ZSCORE', base .. 'flatbed:cancelled', id) then
                first = first + 1
            else
                forget(set, id)
                excess = excess - 1
            end
        end
    until #oldest == 0 or first > 10000
end

-- What goes with every end of a job, good or bad; the rest are fields to be set.
local function finish(set, id, now, ...)
    local job = base .. id
    redis.call('HSET', job, 'finishedOn', whole(now), ...)
    redis.call('ZADD', base .. set, whole(now), id)
    local asked, deduplication = unpack(redis.call('HMGET', job, 'flatbed:cancel', 'deid'))
    if asked then
        redis.call('HDEL', job, 'flatbed:cancel')
    end
    -- A deduplication that ends with its job, not by time.
    if deduplication then
        local owner = base .. 'de:' .. deduplication
        if redis.call('GET', owner) == id and redis.call('PTTL', owner) == -1 then
            redis.call('DEL', owner)
        end
    end
end

-- Adds to what bull-board shows below a failed job; the last ten are kept.
local function note(id, reason)
    local read, stack = pcall(cjson.decode, redis.call('HGET', base .. id, 'stacktrace') or '[]')
    if not read or type(stack) ~= 'table' then
        stack = {}
    end
    stack[#stack + 1] = reason
    while #stack > 10 do
        table.remove(stack, 1)
    end
    redis.call('HSET', base .. id, 'failedReason', reason, 'stacktrace', cjson.encode(stack))
end

-- Sets a job aside.
local function fail(id, reason, prev, now)
    note(id, reason)
    finish('failed', id, now)
    local attempts = redis.call('HGET', base .. id, 'atm') or '0'
    event('failed', 'jobId', id, 'failedReason', reason, 'prev', prev)
    event('retries-exhausted', 'jobId', id, 'attemptsMade', attempts)
end

local function cancelled(id, prev, kept, now)
    finish('failed', id, now, 'failedReason', CANCELLED)
    redis.call('ZADD', base .. 'flatbed:cancelled', whole(now), id)
    event('failed', 'jobId', id, 'failedReason', CANCELLED, 'prev', prev)
    local excess = redis.call('ZCARD', base .. 'flatbed:cancelled') - kept
    if excess > 0 then
        tidy_cancelled()
        for _, oldest in ipairs(redis.call('ZRANGE', base .. 'flatbed:cancelled', 0, -kept - 1)) do
            forget('failed', oldest)
        end
    end
end
