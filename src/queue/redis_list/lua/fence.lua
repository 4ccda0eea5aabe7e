-- Whether the claim with this token still holds: also past its lease, as long as
-- nobody noticed.
local function holds(id, token)
    return redis.call('HGET', key(id), 'token') == token
        and redis.call('ZSCORE', active, id) ~= false
end
