-- The last `ARGV[1]` dead jobs: id, payload, reason, attempts, when.
local found = {}
for _, id in ipairs(redis.call('LRANGE', dead, 0, tonumber(ARGV[1]) - 1)) do
    local job = redis.call('HMGET', key(id), 'payload', 'reason', 'attempts', 'dead')
    if job[1] then
        found[#found + 1] = { id, unpack(job) }
    end
end
return found
