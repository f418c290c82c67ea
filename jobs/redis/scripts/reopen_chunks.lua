-- Revoke the commits of chunks with damaged outputs, and release assembly until they are done.
-- KEYS: job, leases, sent, outputs, attempts. ARGV: fence, then indices.
-- Returns {last, index...} like add_chunks, or nil when the claim is lost. A job that ends early is
-- assembled without these chunks.
if redis.call('HGET', KEYS[1], 'fence:assemble') ~= ARGV[1] then return nil end
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'finalizing' and state ~= 'cancelling' then return nil end
local now = now_ms()
redis.call('HDEL', KEYS[1], 'fence:assemble')
redis.call('ZREM', KEYS[2], 'assemble')
local again = redis.call('HGET', KEYS[1], 'ending') == 'completed'
local out = {again and 0 or 1}
for i = 2, #ARGV do
  local part = redis.call('HGET', KEYS[4], ARGV[i])
  if part then
    local counts = cjson.decode(part)
    -- Not -counts: Lua's minus zero is written -0, which Redis does not take for a number.
    redis.call('HDEL', KEYS[4], ARGV[i])
    redis.call('HINCRBY', KEYS[1], 'labelled', string.format('%d', 0 - counts['labelled']))
    redis.call('HINCRBY', KEYS[1], 'failed', string.format('%d', 0 - counts['failed']))
    redis.call('HINCRBY', KEYS[1], 'to_review', string.format('%d', 0 - (counts['to_review'] or 0)))
    for genre, rows in pairs(counts['genres'] or {}) do
      redis.call('HINCRBY', KEYS[1], 'genre:' .. genre, string.format('%d', 0 - rows))
    end
    for code, rows in pairs(counts['errors'] or {}) do
      redis.call('HINCRBY', KEYS[1], 'error:' .. code, string.format('%d', 0 - rows))
    end
  end
  redis.call('HDEL', KEYS[5], 'label/' .. ARGV[i])
  if again then
    redis.call('ZADD', KEYS[3], now, 'label/' .. ARGV[i])
    out[#out + 1] = tonumber(ARGV[i])
  end
end
if again then
  redis.call('ZREM', KEYS[3], 'assemble')
  redis.call('HDEL', KEYS[1], 'ending', 'at:finalizing')
  redis.call('HSET', KEYS[1], 'state', 'in_progress')
else
  redis.call('ZADD', KEYS[3], now, 'assemble')
end
return out
