-- Jobs by state: waiting, active, completed, failed, delayed, paused.
tidy_cancelled()
local due = whole(clock() * 4096 + 4095)
local later = redis.call('ZCOUNT', base .. 'delayed', '(' .. due, '+inf')
    + redis.call('ZCARD', base .. 'waiting-children')
local ready = redis.call('LLEN', base .. 'wait') + redis.call('LLEN', base .. 'paused')
    + redis.call('ZCARD', base .. 'prioritized')
    + redis.call('ZCOUNT', base .. 'delayed', '-inf', due)
local paused = is_paused()
return {
    paused and 0 or ready,
    redis.call('LLEN', base .. 'active'),
    redis.call('ZCARD', base .. 'completed'),
    redis.call('ZCARD', base .. 'failed') - redis.call('ZCARD', base .. 'flatbed:cancelled'),
    later,
    paused and ready or 0,
}
