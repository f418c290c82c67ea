-- Release a step without counting the attempt. KEYS: job, leases, attempts. ARGV: step, fence. This
-- applies to an expired claim too, once: `released:STEP` holds the newest fence that was released.
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 0 then return 0 end
local newest = 'released:' .. ARGV[1]
if tonumber(redis.call('HGET', KEYS[3], newest) or 0) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[3], newest, ARGV[2])
redis.call('HINCRBY', KEYS[3], ARGV[1], -1)
if redis.call('HGET', KEYS[1], 'fence:' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'fence:' .. ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return 1
