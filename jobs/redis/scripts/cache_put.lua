-- Put values that are not there yet. KEYS: young, old. ARGV: most in the young half, seconds to live, newest stamp that
-- is too old, then pairs of key and value. A value begins with its stamp, Unix seconds as four bytes, the highest first.
-- What the old half holds moves to the young one as it is, so what is asked for again outlives what is not.
for i = 4, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[i]) or redis.call('HGET', KEYS[2], ARGV[i])
  if not known or struct.unpack('>I4', known) <= tonumber(ARGV[3]) then known = ARGV[i + 1] end
  redis.call('HSET', KEYS[1], ARGV[i], known)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  -- Not RENAME alone: it would free the old half at once, which keeps everybody waiting.
  redis.call('UNLINK', KEYS[2])
  redis.call('RENAME', KEYS[1], KEYS[2])
end
