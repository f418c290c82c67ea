-- Extend a lease. KEYS: job, leases. ARGV: step, fence, lease ms. Returns 1, or 0 when it is lost.
-- A lease is also lost when the job's state does not need the step any more: this cancels workers.
local record = redis.call('HMGET', KEYS[1], 'state', 'fence:' .. ARGV[1])
local state = record[1]
if not state or record[2] ~= ARGV[2] then return 0 end
if string.find(ARGV[1], '^label/') then
  if state ~= 'in_progress' then return 0 end
elseif ARGV[1] == 'plan' then
  if state ~= 'queued' and state ~= 'validating' and state ~= 'in_progress' then return 0 end
elseif state ~= 'finalizing' and state ~= 'cancelling' then
  return 0
end
redis.call('ZADD', KEYS[2], now_ms() + tonumber(ARGV[3]), ARGV[1])
return 1
