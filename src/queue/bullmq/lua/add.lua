-- Adds a job. ARGV: 1 id, 2 name, 3 data, 4 opts (JSON), 5 how long it waits (ms).
-- Returns 1 if it is new.
local id, wait = ARGV[1], tonumber(ARGV[5])
local job = base .. id
if redis.call('EXISTS', job) == 1 then
    event('duplicated', 'jobId', id)
    return 0
end
local now = clock()
redis.call(
    'HSET', job, 'name', ARGV[2], 'data', ARGV[3], 'opts', ARGV[4], 'timestamp', whole(now),
    'delay', whole(wait), 'priority', 0
)
event('added', 'jobId', id, 'name', ARGV[2])
if wait > 0 then
    delay(id, now + wait)
    event('delayed', 'jobId', id, 'delay', whole(now + wait))
else
    enqueue(id, false)
    event('waiting', 'jobId', id)
    wake()
end
return 1
