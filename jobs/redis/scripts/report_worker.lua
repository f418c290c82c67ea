-- Store a worker's report. KEYS: workers. ARGV: name, its model as JSON, ms after which reports are
-- deleted. A report is its time (ms), a space, and the model.
local now = now_ms()
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  local reported = string.match(redis.call('HGET', KEYS[1], name), '^%d+')
  if now - tonumber(reported) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], name) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now) .. ARGV[2])
