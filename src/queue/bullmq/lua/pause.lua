-- Stops or resumes the queue. ARGV: 1 '1' to stop.
if ARGV[1] == '1' then
    redis.call('HSET', base .. 'meta', 'paused', 1)
    redis.call('DEL', base .. 'marker')
    event('paused')
    return 1
end
redis.call('HDEL', base .. 'meta', 'paused')
-- What BullMQ up to 5 moved there goes back in front.
while redis.call('LMOVE', base .. 'paused', base .. 'wait', 'LEFT', 'RIGHT') do end
if redis.call('LLEN', base .. 'wait') + redis.call('ZCARD', base .. 'prioritized') > 0 then
    wake()
end
wake_when_due()
event('resumed')
return 1
