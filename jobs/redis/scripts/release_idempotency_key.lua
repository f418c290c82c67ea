-- Release an idempotency key without completing it. KEYS: idempotency key. ARGV: token.
local claim = redis.call('HMGET', KEYS[1], 'token', 'job')
if claim[1] ~= ARGV[1] or claim[2] then return 0 end
return redis.call('DEL', KEYS[1])
