-- Extend a lease. KEYS: job, leases. ARGV: step, fence, lease ms, now ms. Returns 1, or 0 when it is lost.
-- A step that the job's state no longer calls for is lost as well: that is how a cancellation reaches a worker.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 0 end
if redis.call('HGET', KEYS[1], 'fence:' .. ARGV[1]) ~= ARGV[2] then return 0 end
if string.find(ARGV[1], '^label/') and state ~= 'in_progress' then return 0 end
if ARGV[1] == 'plan' and state ~= 'queued' and state ~= 'validating' and state ~= 'in_progress' then return 0 end
redis.call('ZADD', KEYS[2], tonumber(ARGV[4]) + tonumber(ARGV[3]), ARGV[1])
return 1
