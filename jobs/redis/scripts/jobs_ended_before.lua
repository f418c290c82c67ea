-- Jobs that ended before a time, oldest end first. KEYS: ended jobs. ARGV: minimum age ms, skip, limit.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms() - tonumber(ARGV[1]), 'LIMIT', ARGV[2], ARGV[3])
