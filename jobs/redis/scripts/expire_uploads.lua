-- Add to the silence of all uploads and return the lost ones. KEYS: uploads.
-- ARGV: seconds to add, silence of a lost upload, silence after which it is forgotten.
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  redis.call('ZINCRBY', KEYS[1], ARGV[1], id)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[3], '+inf')
return redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf')
