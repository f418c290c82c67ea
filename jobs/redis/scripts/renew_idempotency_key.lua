-- Extend the claim on an idempotency key. KEYS: idempotency key. ARGV: token, lease ms.
local claim = redis.call('HMGET', KEYS[1], 'token', 'job')
if claim[1] ~= ARGV[1] or claim[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
