-- Claims the next job.
-- ARGV: 1 the claim's token, 2 the lease (ms), 3 attempts in all, 4 dead jobs kept,
-- 5 '1' if an earlier call with this token may have claimed.
-- Returns {ids set aside, ms until the next is due or -1} and, with a job, its id,
-- payload and number of attempts.
local token, lease, most, kept = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
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
            return { {}, -1, id, job[2], job[3] }
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

-- Those that were begun before go first.
local id, payload
repeat
    id = redis.call('RPOP', ready)
    payload = id and redis.call('HGET', key(id), 'payload')
until payload or not id
if not id then
    payload = redis.call('RPOP', list)
    if not payload then
        local next
        for _, set in ipairs({ active, delayed }) do
            local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
            next = first and math.min(next or first, first) or next
        end
        return { aside, next and math.max(next - now, 1) or -1 }
    end
    -- Its first claim gives a job its name.
    id = token
    redis.call('HSET', key(id), 'payload', payload)
end
redis.call('HSET', key(id), 'token', token)
hold(id)
return { aside, -1, id, payload, redis.call('HINCRBY', key(id), 'attempts', 1) }
