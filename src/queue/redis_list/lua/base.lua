-- In front of every script, behind the clock. KEYS[1] is the list that producers
-- push to, at the left; all other keys of the queue begin with its name.
local list = KEYS[1]
local base = list .. ':'
local ready, active = base .. 'ready', base .. 'active'
local delayed, dead = base .. 'delayed', base .. 'dead'
local untold = base .. 'untold'

local function key(id)
    return base .. 'job:' .. id
end

-- Redis refuses writes when it is out of memory, unless the script has already
-- written: this one is always allowed, and changes nothing.
local function write_even_if_full()
    redis.call('ZREM', active, '')
end

-- Sets a job aside: kept with its reason, the last `kept` of them.
local function set_aside(id, reason, kept, now)
    redis.call('HDEL', key(id), 'token')
    redis.call('HSET', key(id), 'reason', reason, 'dead', whole(now))
    redis.call('LPUSH', dead, id)
    while redis.call('LLEN', dead) > kept do
        local last = redis.call('RPOP', dead)
        redis.call('ZREM', untold, last)
        redis.call('UNLINK', key(last))
    end
end
