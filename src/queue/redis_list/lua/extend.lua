-- Begins the lease anew. ARGV: 1 id, 2 token, 3 the lease (ms).
if not holds(ARGV[1], ARGV[2]) then
    return 0
end
write_even_if_full()
redis.call('ZADD', active, whole(clock() + tonumber(ARGV[3])), ARGV[1])
return 1
