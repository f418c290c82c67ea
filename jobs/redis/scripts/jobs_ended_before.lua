-- Jobs that ended before a time, oldest end first. KEYS: ended jobs. ARGV: minimum age ms, skip,
-- limit.
local latest = now_ms() - tonumber(ARGV[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', latest, 'LIMIT', ARGV[2], ARGV[3])
