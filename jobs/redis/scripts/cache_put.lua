-- Add cache entries. KEYS: young, old. ARGV: maximum size of the young hash, seconds to live,
-- newest expired timestamp, then pairs of key and value. A value begins with its timestamp: Unix
-- seconds, four bytes, big-endian. An entry of the old hash is copied to the young one unchanged,
-- so entries that are still used outlive the others.
for i = 4, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[i]) or redis.call('HGET', KEYS[2], ARGV[i])
  if not known or struct.unpack('>I4', known) <= tonumber(ARGV[3]) then known = ARGV[i + 1] end
  redis.call('HSET', KEYS[1], ARGV[i], known)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then
  -- Not RENAME alone: it would free the old hash synchronously and block all clients.
  redis.call('UNLINK', KEYS[2])
  redis.call('RENAME', KEYS[1], KEYS[2])
end
