-- Claims the next job.
-- ARGV: 1 the claim's token, 2 the lease (ms), 3 attempts in all, 4 dead jobs kept,
-- 5 '1' if an earlier call with this token may have claimed, 6 the `task_type` of the
-- messages that are ours, or '' for all.
-- Returns {ids set aside, ms until the next is due or -1, 1 if only messages of others
-- were seen} and, with a job, its id, payload and number of attempts.
local token, lease, most, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local task = ARGV[6]
local now = clock()
write_even_if_full()

local function hold(id)
    redis.call('ZADD', active, whole(now + lease), id)
end

if ARGV[5] == '1' then
    for _, id in ipairs(redis.call('ZRANGE', active, 0, -1)) do
        local job = redis.call('HMGET', key(id), 'token', 'payload', 'attempts')
        if job[1] == token then
            hold(id)
            return { {}, -1, 0, id, job[2], job[3] }
        end
    end
end

-- What a lease has ended for has lost its worker.
local aside = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', active, '-inf', whole(now), 'LIMIT', 0, 100)) do
    redis.call('ZREM', active, id)
    local job = redis.call('HMGET', key(id), 'attempts', 'reason')
    local made = tonumber(job[1])
    if made and made >= most then
        local reason = 'its worker was lost in attempt ' .. made .. ' of ' .. most
        set_aside(id, reason .. (job[2] and '; before that: ' .. job[2] or ''), kept, now)
        redis.call('ZADD', untold, whole(now), id)
        aside[#aside + 1] = id
    elseif made then
        redis.call('HDEL', key(id), 'token')
        redis.call('RPUSH', ready, id)
    end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', whole(now), 'LIMIT', 0, 1000)) do
    redis.call('ZREM', delayed, id)
    redis.call('LPUSH', ready, id)
end

-- Whether a message is ours.
local function is_ours(message)
    local read, order = pcall(cjson.decode, message)
    return read and type(order) == 'table' and order.task_type == task
end

-- The oldest message that is ours, and 1 if there are only others. Those of others
-- go to the far end, and are in the list all the time: whoever they are for can take
-- them before and after this script. So many at a time that others need not wait for
-- it; the next call looks at those behind.
local function take()
    if task == '' then
        return redis.call('RPOP', list), 0
    end
    local left = math.min(redis.call('LLEN', list), 1000)
    local others = left > 0 and 1 or 0
    while left > 0 do
        local message = redis.call('LINDEX', list, -1)
        if is_ours(message) then
            return redis.call('RPOP', list), 0
        end
        redis.call('RPOPLPUSH', list, list)
        left = left - 1
    end
    return false, others
end

-- Those that were begun before go first.
local id, payload
repeat
    id = redis.call('RPOP', ready)
    payload = id and redis.call('HGET', key(id), 'payload')
until payload or not id
if not id then
    local others
    payload, others = take()
    if not payload then
        local next
        for _, set in ipairs({ active, delayed }) do
            local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
            next = first and math.min(next or first, first) or next
        end
        return { aside, next and math.max(next - now, 1) or -1, others }
    end
    -- Its first claim gives a job its name.
    id = token
    redis.call('HSET', key(id), 'payload', payload)
end
redis.call('HSET', key(id), 'token', token)
hold(id)
return { aside, -1, 0, id, payload, redis.call('HINCRBY', key(id), 'attempts', 1) }
