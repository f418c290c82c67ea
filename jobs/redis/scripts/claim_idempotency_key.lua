-- Claim an idempotency key. KEYS: idempotency key. ARGV: token, lease ms.
-- Returns {} when claimed, {job id, fingerprint} when completed, nil when another request has the
-- claim.
local settled = redis.call('HMGET', KEYS[1], 'job', 'fingerprint')
if settled[1] then return settled end
if redis.call('HSETNX', KEYS[1], 'token', ARGV[1]) == 0 then return nil end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {}
