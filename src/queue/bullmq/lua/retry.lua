-- Gives a failed or cancelled job all its attempts anew. ARGV: 1 id.
local id = ARGV[1]
local job = base .. id
if redis.call('EXISTS', job) == 0 or redis.call('ZREM', base .. 'failed', id) == 0 then
    return 0
end
redis.call('ZREM', base .. 'flatbed:cancelled', id)
redis.call(
    'HDEL', job, 'atm', 'stc', 'finishedOn', 'processedOn', 'failedReason', 'returnvalue',
    'progress', 'stacktrace', 'flatbed:cancel'
)
redis.call('HSET', job, 'delay', 0)
enqueue(id, false)
event('waiting', 'jobId', id, 'prev', 'failed')
wake()
return 1
