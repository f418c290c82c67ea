-- Jobs whose webhook is due, the longest due first. KEYS: webhooks due. ARGV: limit.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms(), 'LIMIT', 0, ARGV[1])
