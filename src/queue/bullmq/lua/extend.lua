-- Begins the lease anew. ARGV: 1 id, 2 token, 3 `ats`, 4 the lease (ms).
local id, token = ARGV[1], ARGV[2]
if not holds(id, token, ARGV[3]) then
    return 0
end
-- Which an out-of-memory Redis still does, unlike SET.
if redis.call('PEXPIRE', base .. id .. ':lock', ARGV[4]) == 0 then
    redis.call('SET', base .. id .. ':lock', token, 'PX', ARGV[4])
end
redis.call('SREM', base .. 'stalled', id)
return 1
