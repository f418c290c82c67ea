-- Restart labelling with another model. KEYS: job, leases, sent, outputs, attempts. ARGV: step,
-- fence, version, digest, window. Returns like add_chunks, or nil when the claim is lost.
if redis.call('HGET', KEYS[1], 'fence:' .. ARGV[1]) ~= ARGV[2] then return nil end
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'in_progress' and state ~= 'validating' then return nil end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  -- Chunks in progress were labelled by the old model: refuse their commits.
  if string.find(field, '^fence:label/') then redis.call('HDEL', KEYS[1], field) end
  if string.find(field, '^genre:') or string.find(field, '^error:') then
    redis.call('HDEL', KEYS[1], field)
  end
end
for _, step in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  if string.find(step, '^label/') then redis.call('ZREM', KEYS[3], step) end
end
for _, step in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if string.find(step, '^label/') then redis.call('ZREM', KEYS[2], step) end
end
redis.call('DEL', KEYS[4], KEYS[5])
redis.call('HSET', KEYS[1], 'model_version', ARGV[3], 'model_digest', ARGV[4])
redis.call('HSET', KEYS[1], 'labelled', 0, 'failed', 0, 'to_review', 0, 'dispatched', 0)
return dispatch_chunks(KEYS[1], KEYS[3], KEYS[4], ARGV[5], now_ms())
