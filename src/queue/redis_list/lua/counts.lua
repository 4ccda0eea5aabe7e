-- How many jobs wait, are active, delayed, dead.
return {
    redis.call('LLEN', list) + redis.call('LLEN', ready),
    redis.call('ZCARD', active),
    redis.call('ZCARD', delayed),
    redis.call('LLEN', dead),
}
