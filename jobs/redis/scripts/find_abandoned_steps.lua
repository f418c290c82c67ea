-- Find due steps without a valid claim. KEYS: job, leases, sent, metrics.
-- ARGV: minimum ms since the step was enqueued, maximum lease ms.
-- Returned steps count as enqueued now, so that the next pass does not enqueue them again at once.
-- If the server's clock was put back, longer leases and later times of enqueueing are invalid.
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOJOB') end
local now = now_ms()
local longest = now + tonumber(ARGV[2]) + 1000
local out = {}
local checked = {}
-- Whether the step is due and has no valid claim.
local function check(step)
  if checked[step] then return false end
  checked[step] = true
  local due = true
  if string.find(step, '^label/') then
    due = redis.call('HGET', KEYS[1], 'state') == 'in_progress'
  elseif step == 'plan' then
    due = redis.call('HGET', KEYS[1], 'planned') ~= '1'
  end
  if not due then
    redis.call('ZREM', KEYS[3], step)
    return false
  end
  local lease_end = redis.call('ZSCORE', KEYS[2], step)
  lease_end = lease_end and tonumber(lease_end)
  if lease_end and lease_end > now and lease_end <= longest then return false end
  out[#out + 1] = step
  redis.call('ZADD', KEYS[3], now, step)
  return true
end
-- The worker of an expired lease is gone, and so is its message: do not wait for it.
for _, range in ipairs({{'-inf', now}, {'(' .. longest, '+inf'}}) do
  for _, step in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], range[1], range[2])) do
    if redis.call('ZSCORE', KEYS[3], step) and check(step) then
      redis.call('HINCRBY', KEYS[4], 'lease_losses:' .. step_kind(step), 1)
    end
    redis.call('ZREM', KEYS[2], step)
  end
end
for _, range in ipairs({{'-inf', now - tonumber(ARGV[1])}, {'(' .. now + 1000, '+inf'}}) do
  for _, step in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], range[1], range[2])) do check(step) end
end
return out
