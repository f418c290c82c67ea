-- Hold a request's key. KEYS: request. ARGV: token, lease ms.
-- Returns {} when it is held now, {job id, fingerprint} when it is settled, nil when another request holds it.
local settled = redis.call('HMGET', KEYS[1], 'job', 'fingerprint')
if settled[1] then return settled end
if redis.call('HSETNX', KEYS[1], 'token', ARGV[1]) == 0 then return nil end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {}
