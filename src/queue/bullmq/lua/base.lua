-- In front of every script. KEYS[1] is what all keys of the queue begin with,
-- as `bull:video-processing:`.
local base = KEYS[1]

-- The queue's own settings: whether it is paused, how many jobs may be active, how
-- many events are kept. Read once, when first asked for: what changes them does it
-- before.
local known
local function settings()
    known = known
        or redis.call('HMGET', base .. 'meta', 'paused', 'concurrency', 'opts.maxLenEvents')
    return known
end

local function event(...)
    local longest = settings()[3] or '10000'
    redis.call('XADD', base .. 'events', 'MAXLEN', '~', longest, '*', 'event', ...)
end

local function is_paused()
    return settings()[1] ~= false
end

-- Idle workers of every language block on the marker.
local function wake()
    if not is_paused() then
        redis.call('ZADD', base .. 'marker', 0, '0')
    end
end

-- When the next delayed job is due; nil if there is none.
local function next_due()
    local first = redis.call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
    return first[2] and math.floor(first[2] / 4096)
end

-- The same for who waits for the next delayed job: the score says until when.
local function wake_when_due()
    local due = next_due()
    if due and not is_paused() then
        redis.call('ZADD', base .. 'marker', whole(due), '1')
    end
end

-- Makes a job available: at the head of those that wait, or behind them.
local function enqueue(id, head)
    local priority = tonumber(redis.call('HGET', base .. id, 'priority')) or 0
    if priority > 0 then
        -- The smaller the more urgent; the low half keeps the order of coming.
        local score = priority * 4294967296
        if not head then
            score = score + redis.call('INCR', base .. 'pc') % 4294967296
        end
        redis.call('ZADD', base .. 'prioritized', whole(score), id)
        return
    end
    local list = 'wait'
    -- BullMQ up to 5 moves what waits there while it is paused.
    if is_paused() and redis.call('EXISTS', base .. 'paused') == 1 then
        list = 'paused'
    end
    redis.call(head and 'RPUSH' or 'LPUSH', base .. list, id)
end

-- Lets a job wait until `due`. Those of one millisecond keep their order by
-- the low 12 bits.
local function delay(id, due)
    local first = due * 4096
    local last = first + 4095
    local taken = redis.call(
        'ZREVRANGEBYSCORE', base .. 'delayed', whole(last), whole(first), 'WITHSCORES',
        'LIMIT', 0, 1
    )
    local score = taken[2] and math.min(taken[2] + 1, last) or first
    redis.call('ZADD', base .. 'delayed', whole(score), id)
    wake_when_due()
end

-- Makes those delayed jobs available that are due by now.
local function promote(now)
    local due = redis.call(
        'ZRANGEBYSCORE', base .. 'delayed', '-inf', whole(now * 4096 + 4095), 'LIMIT', 0, 1000
    )
    if #due == 0 then
        return
    end
    redis.call('ZREM', base .. 'delayed', unpack(due))
    for _, id in ipairs(due) do
        enqueue(id, false)
        redis.call('HSET', base .. id, 'delay', 0)
        event('waiting', 'jobId', id, 'prev', 'delayed')
    end
    wake()
end
