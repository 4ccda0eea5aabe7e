-- Gives a dead job all its attempts anew. ARGV: 1 id.
if redis.call('LREM', dead, 1, ARGV[1]) == 0 then
    return 0
end
redis.call('ZREM', untold, ARGV[1])
redis.call('HDEL', key(ARGV[1]), 'attempts', 'reason', 'dead')
redis.call('LPUSH', ready, ARGV[1])
return 1
