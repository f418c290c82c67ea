-- Replace a chunk that repeatedly kills workers by its two halves.
-- KEYS: job, leases, sent, outputs, chunks, attempts.
-- ARGV: index, fence, window, attempts of the halves, left JSON, right's index, right JSON.
-- Returns like add_chunks, or nil when the claim is lost.
local step = 'label/' .. ARGV[1]
if redis.call('HGET', KEYS[1], 'fence:' .. step) ~= ARGV[2] then return nil end
if redis.call('HGET', KEYS[1], 'state') ~= 'in_progress' then return nil end
-- The planner assigns indices until it is done; another split may have used this index.
if redis.call('HGET', KEYS[1], 'planned') ~= '1' then return nil end
if redis.call('HSETNX', KEYS[5], ARGV[6], ARGV[7]) == 0 then return nil end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[5])
redis.call('HINCRBY', KEYS[1], 'chunks', 1)
redis.call('HSET', KEYS[6], step, ARGV[4], 'label/' .. ARGV[6], ARGV[4])
redis.call('HDEL', KEYS[1], 'fence:' .. step)
redis.call('ZREM', KEYS[2], step)
local now = now_ms()
redis.call('ZADD', KEYS[3], now, step)
local out = dispatch_chunks(KEYS[1], KEYS[3], KEYS[4], ARGV[3], now)
out[#out + 1] = tonumber(ARGV[1])
return out
