-- The records of a state. ARGV: 1 the state, 2 how many to pass over, 3 how many.
local state, first, number = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = clock()
promote(now)
tidy_cancelled()

-- Goes through a part of the keyspace in pages, in order, until enough are found.
local found, passed = {}, 0
local function look(read)
    local from = 0
    while #found < number do
        local ids = read(from, from + 999)
        if #ids == 0 then
            return
        end
        from = from + #ids
        for _, id in ipairs(ids) do
            local is_cancelled = state == 'failed'
                and redis.call('ZSCORE', base .. 'flatbed:cancelled', id)
            if is_cancelled then
                -- Listed elsewhere.
            elseif passed < first then
                passed = passed + 1
            elseif #found < number then
                found[#found + 1] = record(id, now)
            end
        end
    end
end

local function set(name, order)
    look(function(from, to)
        return redis.call(order, base .. name, from, to)
    end)
end

-- A list's head is its right end.
local function list(name)
    look(function(from, to)
        local ids, turned = redis.call('LRANGE', base .. name, -to - 1, -from - 1), {}
        for index = #ids, 1, -1 do
            turned[#turned + 1] = ids[index]
        end
        return turned
    end)
end

if state == 'completed' or state == 'failed' then
    set(state, 'ZREVRANGE')
elseif state == 'cancelled' then
    set('flatbed:cancelled', 'ZREVRANGE')
elseif state == 'active' then
    list('active')
elseif state == 'delayed' then
    set('delayed', 'ZRANGE')
    set('waiting-children', 'ZRANGE')
elseif (state == 'paused') == is_paused() then
    list('wait')
    list('paused')
    set('prioritized', 'ZRANGE')
end
return found
