-- Add a signing secret. KEYS: secrets. ARGV: owner, new secret, ms for which the previous one stays valid.
local kept = {{secret = ARGV[2], ['until'] = 0}}
local before = redis.call('HGET', KEYS[1], ARGV[1])
if before then kept[2] = {secret = cjson.decode(before)[1].secret, ['until'] = now_ms() + tonumber(ARGV[3])} end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(kept))
return 1
