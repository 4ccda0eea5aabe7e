-- Redis's clock, milliseconds since 1970: workers' clocks differ.
local function clock()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Whole numbers past 10^14 as text, without an exponent.
local function whole(number)
    return string.format('%.0f', number)
end
