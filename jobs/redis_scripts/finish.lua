-- Publish the terminal state. KEYS: job, leases, sent, attempts, chunks, parts, active, ended, callbacks due,
-- totals.
-- ARGV: fence, now ms, job id.
if redis.call('HGET', KEYS[1], 'fence:assemble') ~= ARGV[1] then return 0 end
local ending = redis.call('HGET', KEYS[1], 'ending')
redis.call('HSET', KEYS[1], 'state', ending, 'at:' .. ending, ARGV[2],
  'chunks_done', redis.call('HLEN', KEYS[6]))
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
redis.call('SREM', KEYS[7], ARGV[3])
redis.call('HINCRBY', KEYS[10], 'ended:' .. ending, 1)
redis.call('ZADD', KEYS[8], ARGV[2], ARGV[3])
if redis.call('HEXISTS', KEYS[1], 'callback') == 1 then redis.call('ZADD', KEYS[9], ARGV[2], ARGV[3]) end
return 1
