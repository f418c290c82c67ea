-- Record planned chunks. KEYS: job, leases, sent, chunks, outputs.
-- ARGV: fence, last (0/1), window, then triples of index, rows, chunk JSON.
-- Returns {last, index...}: whether assembly is due, and the chunks to dispatch.
if redis.call('HGET', KEYS[1], 'fence:plan') ~= ARGV[1] then return nil end
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'validating' and state ~= 'in_progress' then return nil end
local now = now_ms()
local added = 0
for i = 4, #ARGV, 3 do
  if redis.call('HSETNX', KEYS[4], ARGV[i], ARGV[i + 2]) == 1 then
    redis.call('HINCRBY', KEYS[1], 'total', ARGV[i + 1])
    added = added + 1
  end
end
local chunks = redis.call('HINCRBY', KEYS[1], 'chunks', added)
if state == 'validating' and chunks > 0 then
  redis.call('HSET', KEYS[1], 'state', 'in_progress', 'at:in_progress', now)
end
if ARGV[2] == '1' then
  redis.call('HSET', KEYS[1], 'planned', 1)
  redis.call('HDEL', KEYS[1], 'fence:plan')
  redis.call('ZREM', KEYS[2], 'plan')
end
return dispatch_chunks(KEYS[1], KEYS[3], KEYS[5], ARGV[3], now)
