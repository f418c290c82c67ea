-- Release an idempotency key without completing it. KEYS: idempotency key. ARGV: token.
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'job') == 1 then return 0 end
return redis.call('DEL', KEYS[1])
