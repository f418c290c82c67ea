-- Claim a due delivery. KEYS: webhooks due, job. ARGV: job id, lease ms.
-- Returns the attempt's number, or nil.
local now = now_ms()
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due or tonumber(due) > now then return nil end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
  return nil
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return redis.call('HINCRBY', KEYS[2], 'webhook_attempt', 1)
