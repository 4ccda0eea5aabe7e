-- Claims the next job.
-- ARGV: 1 the claim's token, 2 the lease, 3 how often lost jobs are looked for (ms),
-- 4 attempts of a job that does not say, 5 failed jobs kept, 6 '1' if an earlier
-- call with this token may have claimed.
-- Returns {{id, state} of each that is set aside, ms until the next is due or -1} and, with a job, its id,
-- `ats` and fields.
local token, lease = ARGV[1], ARGV[2]
local now = clock()

-- First a write that is allowed when Redis is out of memory: then all of them
-- are, and a full Redis can be worked empty. There is no such key.
redis.call('DEL', base .. 'flatbed:none')

local function taken(id)
    local fields = redis.call(
        'HMGET', base .. id, 'name', 'data', 'opts', 'timestamp', 'atm', 'stc', 'ats'
    )
    return fields[1] and fields
end

-- Who else is idle hears that there is more.
local function pass_on()
    if redis.call('LLEN', base .. 'wait') > 0
        or redis.call('ZCARD', base .. 'prioritized') > 0 then
        redis.call('ZADD', base .. 'marker', 0, '0')
    end
end

if ARGV[6] == '1' then
    for _, id in ipairs(redis.call('LRANGE', base .. 'active', 0, -1)) do
        if redis.call('GET', base .. id .. ':lock') == token then
            redis.call('PEXPIRE', base .. id .. ':lock', lease)
            pass_on()
            return { {}, -1, id, taken(id) }
        end
    end
end

-- An active job without a lock has lost its worker. That attempt is charged, in
-- BullMQ's own counter of such losses.
local function reclaim()
    local aside = {}
    for _, id in ipairs(redis.call('LRANGE', base .. 'active', 0, -1)) do
        local job = base .. id
        if redis.call('EXISTS', job .. ':lock') == 0 then
            redis.call('LREM', base .. 'active', 1, id)
            redis.call('SREM', base .. 'stalled', id)
            if redis.call('EXISTS', job) == 1 then
                local lost = redis.call('HINCRBY', job, 'stc', 1)
                local made = tonumber(redis.call('HGET', job, 'atm')) or 0
                local read, options = pcall(cjson.decode, redis.call('HGET', job, 'opts') or '{}')
                local most = read and type(options) == 'table' and tonumber(options.attempts) or 0
                if most < 1 then
                    most = tonumber(ARGV[4])
                end
                event('stalled', 'jobId', id)
                local ask = redis.call('HGET', job, 'flatbed:cancel')
                if ask and ask == redis.call('HGET', job, 'ats') then
                    cancelled(id, 'active', tonumber(ARGV[5]), now)
                    aside[#aside + 1] = { id, 'cancelled' }
                elseif made + lost >= most then
                    local before = redis.call('HGET', job, 'failedReason')
                    local reason = 'its worker was lost in attempt ' .. (made + lost) .. ' of '
                        .. whole(most) .. (before and '; before that: ' .. before or '')
                    fail(id, reason, 'active', now)
                    -- Kept whatever `removeOnFail` says: somebody should look.
                    trim('failed', tonumber(ARGV[5]), -1, now)
                    aside[#aside + 1] = { id, 'failed' }
                else
                    enqueue(id, true)
                    event('waiting', 'jobId', id, 'prev', 'active')
                end
            end
        end
    end
    return aside
end

local aside = {}
if redis.call('SET', base .. 'flatbed:checked', whole(now), 'NX', 'PX', ARGV[3]) then
    aside = reclaim()
end

local due = next_due()
if due and due <= now then
    promote(now)
    due = next_due()
end

local most = tonumber(settings()[2])
if is_paused() or (most and redis.call('LLEN', base .. 'active') >= most) then
    return { aside, -1 }
end

while true do
    local id, prev = redis.call('RPOP', base .. 'wait'), 'waiting'
    if not id then
        id, prev = redis.call('ZPOPMIN', base .. 'prioritized')[1], 'prioritized'
    end
    if not id then
        -- Whoever is idle need not look again.
        redis.call('ZREM', base .. 'marker', '0')
        return { aside, due and math.max(due - now, 1) or -1 }
    end
    -- Otherwise it was removed by a client that did not look here.
    local fields = taken(id)
    if fields then
        local job = base .. id
        redis.call('LPUSH', base .. 'active', id)
        redis.call('SET', job .. ':lock', token, 'PX', lease)
        fields[7] = whole((tonumber(fields[7]) or 0) + 1)
        redis.call('HSET', job, 'ats', fields[7], 'processedOn', whole(now))
        event('active', 'jobId', id, 'prev', prev)
        pass_on()
        if due then
            redis.call('ZADD', base .. 'marker', whole(due), '1')
        end
        return { aside, -1, id, fields }
    end
end
