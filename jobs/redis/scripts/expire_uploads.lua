-- Which uploads are lost? KEYS: uploads. ARGV: silence to add, silence at which one is lost, silence at which it is forgotten.
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZINCRBY', KEYS[1], ARGV[1], id) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[3], '+inf')
return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf')
