-- Jobs that ended at least so long ago, the first to end first. KEYS: ended jobs and when. ARGV: ms, how many to skip, most.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms() - tonumber(ARGV[1]), 'LIMIT', ARGV[2], ARGV[3])
