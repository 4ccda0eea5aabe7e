local function state_of(id, now)
    local job = base .. id
    if redis.call('ZSCORE', base .. 'completed', id) then
        return 'completed'
    end
    if redis.call('ZSCORE', base .. 'failed', id) then
        return redis.call('HGET', job, 'failedReason') == CANCELLED and 'cancelled' or 'failed'
    end
    if redis.call('EXISTS', job .. ':lock') == 1 or redis.call('LPOS', base .. 'active', id) then
        return 'active'
    end
    local due = redis.call('ZSCORE', base .. 'delayed', id)
    if (due and math.floor(due / 4096) > now)
        or redis.call('ZSCORE', base .. 'waiting-children', id) then
        return 'delayed'
    end
    return is_paused() and 'paused' or 'waiting'
end

-- As the adapter reads it; nil if it is gone.
local function record(id, now)
    local job = base .. id
    if redis.call('EXISTS', job) == 0 then
        return nil
    end
    return {
        id, state_of(id, now),
        redis.call(
            'HMGET', job, 'name', 'data', 'opts', 'timestamp', 'atm', 'stc', 'progress',
            'returnvalue', 'failedReason', 'processedOn', 'finishedOn'
        ),
    }
end
