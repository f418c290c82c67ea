-- Jobs whose callback is due, the longest due first. KEYS: callbacks due. ARGV: most.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms(), 'LIMIT', 0, ARGV[1])
