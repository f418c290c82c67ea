-- Jobs that ended so long ago and still have files. KEYS: ended. ARGV: ms.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms() - tonumber(ARGV[1]))
