-- Writes how far a job is. ARGV: 1 id, 2 token, 3 `ats`, 4 the progress (JSON).
local id = ARGV[1]
if not holds(id, ARGV[2], ARGV[3]) then
    return 0
end
redis.call('HSET', base .. id, 'progress', ARGV[4])
event('progress', 'jobId', id, 'data', ARGV[4])
return 1
