-- Log a delivery attempt. KEYS: webhooks due, job, deliveries, metrics.
-- ARGV: job id, number, ms until the next attempt or '', attempt as JSON, field of the metrics.
-- Returns 0 when a later attempt was claimed or the job is deleted.
if redis.call('HGET', KEYS[2], 'webhook_attempt') ~= ARGV[2] then return 0 end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[3], ARGV[4])
redis.call('LTRIM', KEYS[3], -50, -1)
redis.call('HINCRBY', KEYS[4], ARGV[5], 1)
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], now_ms() + tonumber(ARGV[3]), ARGV[1])
end
return 1
