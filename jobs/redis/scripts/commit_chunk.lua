-- Commit a labelled chunk, once. KEYS: job, leases, sent, outputs, totals, metrics, metrics by
-- genre. ARGV: index, fence, labelled, failed, to review, window, counts, genres and manifest as
-- JSON, most genres in the metrics, the name that stands for further ones, number of genres, then
-- pairs of genre and rows, then pairs of a field of the metrics and its increment.
-- Returns {last, index...} like add_chunks, or nil when the claim is lost.
local step = 'label/' .. ARGV[1]
if redis.call('HGET', KEYS[1], 'fence:' .. step) ~= ARGV[2] then return nil end
if redis.call('HGET', KEYS[1], 'state') ~= 'in_progress' then return nil end
local now = now_ms()
redis.call('HSET', KEYS[4], ARGV[1], ARGV[7])
for _, key in ipairs({KEYS[1], KEYS[5]}) do
  redis.call('HINCRBY', key, 'labelled', ARGV[3])
  redis.call('HINCRBY', key, 'failed', ARGV[4])
  redis.call('HINCRBY', key, 'to_review', ARGV[5])
end
local metrics_at = 11 + 2 * ARGV[10]
local room = tonumber(ARGV[8]) - redis.call('HLEN', KEYS[7])
for i = 11, metrics_at - 1, 2 do
  local genre, rows = ARGV[i], ARGV[i + 1]
  redis.call('HINCRBY', KEYS[1], 'genre:' .. genre, rows)
  if room <= 0 and redis.call('HEXISTS', KEYS[7], genre) == 0 then genre = ARGV[9] end
  if redis.call('HINCRBY', KEYS[7], genre, rows) == tonumber(rows) then room = room - 1 end
end
for code, rows in pairs(cjson.decode(ARGV[7])['errors']) do
  redis.call('HINCRBY', KEYS[1], 'error:' .. code, rows)
end
for i = metrics_at, #ARGV, 2 do redis.call('HINCRBY', KEYS[6], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'last_progress', now, 'newest', ARGV[1])
redis.call('HDEL', KEYS[1], 'fence:' .. step)
redis.call('ZREM', KEYS[2], step)
redis.call('ZREM', KEYS[3], step)
return dispatch_chunks(KEYS[1], KEYS[3], KEYS[4], ARGV[6], now)
