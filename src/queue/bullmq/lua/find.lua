-- A job's record, or nil. ARGV: 1 id.
return record(ARGV[1], clock()) or false
