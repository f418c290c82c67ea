-- Store when a worker last made progress. KEYS: progress of workers.
-- ARGV: name, ms since its progress, ms after which entries are deleted.
local now = now_ms()
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  local progress = redis.call('HGET', KEYS[1], name)
  if now - tonumber(progress) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], name) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now - tonumber(ARGV[2])))
