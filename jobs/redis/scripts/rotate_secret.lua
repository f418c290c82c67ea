-- Add a signing secret. KEYS: secrets. ARGV: owner, new secret, ms for which the previous one stays
-- valid.
local secrets = {{secret = ARGV[2], ['until'] = 0}}
local previous = redis.call('HGET', KEYS[1], ARGV[1])
if previous then
  secrets[2] = {secret = cjson.decode(previous)[1].secret, ['until'] = now_ms() + tonumber(ARGV[3])}
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(secrets))
return 1
