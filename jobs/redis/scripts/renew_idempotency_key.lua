-- Extend the claim on an idempotency key. KEYS: idempotency key. ARGV: token, lease ms.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'job') == 1 then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
