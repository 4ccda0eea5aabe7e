-- Whether the claim with this token and number still holds. Where the lock has
-- run out (Redis was away for long, the worker stood still) and nobody noticed
-- yet, it holds: every claim, by whatever worker, raises `ats`.
local function holds(id, token, claim)
    local lock = redis.call('GET', base .. id .. ':lock')
    if lock then
        return lock == token and redis.call('EXISTS', base .. id) == 1
    end
    return redis.call('HGET', base .. id, 'ats') == claim
        and redis.call('LPOS', base .. 'active', id) ~= false
end
