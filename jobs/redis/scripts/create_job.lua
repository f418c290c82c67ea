-- Create a job. KEYS: job, sent, active, created, owned, open of the owner, idempotency key,
-- uploads, schema. ARGV: id, owner or '', max open jobs or '', token of the idempotency key or '',
-- its fingerprint, its retention in ms, seconds of silence of a lost upload, schema, field,
-- value... Returns 1; 0 when the owner has too many open jobs; -1 when the idempotency key's claim
-- is lost; -2 when the upload is lost.
-- If the job exists, this call created it before and its reply was lost.
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local silent = redis.call('ZSCORE', KEYS[8], ARGV[1])
if silent and tonumber(silent) >= tonumber(ARGV[7]) then return -2 end
if ARGV[4] ~= '' then
  local claim = redis.call('HMGET', KEYS[7], 'token', 'job')
  if claim[1] ~= ARGV[4] or claim[2] then return -1 end
end
local now = now_ms()
if ARGV[2] ~= '' then
  if ARGV[3] ~= '' and redis.call('SCARD', KEYS[6]) >= tonumber(ARGV[3]) then return 0 end
  redis.call('ZADD', KEYS[5], now, ARGV[1])
  redis.call('SADD', KEYS[6], ARGV[1])
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[7], 'job', ARGV[1], 'fingerprint', ARGV[5])
  redis.call('PEXPIRE', KEYS[7], ARGV[6])
end
redis.call('HSET', KEYS[1], 'at:queued', now, unpack(ARGV, 9))
redis.call('SET', KEYS[9], ARGV[8])
redis.call('ZADD', KEYS[2], now, 'plan')
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], now, ARGV[1])
redis.call('ZREM', KEYS[8], ARGV[1])
return 1
