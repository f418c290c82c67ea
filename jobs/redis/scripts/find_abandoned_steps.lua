-- Which steps should be under way but are held by nobody? KEYS: job, leases, sent. ARGV: sent so many ms ago, longest lease ms.
-- Those returned count as sent now, so that the next sweep does not send them again at once.
-- The server's clock may have been put back: no lease is longer than that, and nothing was sent in the future.
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOJOB') end
local now = now_ms()
local longest = now + tonumber(ARGV[2]) + 1000
local out = {}
local taken = {}
local function look(step)
  if taken[step] then return end
  taken[step] = true
  local due = true
  if string.find(step, '^label/') then
    due = redis.call('HGET', KEYS[1], 'state') == 'in_progress'
  elseif step == 'plan' then
    due = redis.call('HGET', KEYS[1], 'planned') ~= '1'
  end
  if not due then
    redis.call('ZREM', KEYS[3], step)
    return
  end
  local held = redis.call('ZSCORE', KEYS[2], step)
  if held and tonumber(held) > now and tonumber(held) <= longest then return end
  out[#out + 1] = step
  redis.call('ZADD', KEYS[3], now, step)
end
-- A lease that ran out belongs to a holder that is gone, and its message with it: no use in waiting for that.
for _, range in ipairs({{'-inf', now}, {'(' .. longest, '+inf'}}) do
  for _, step in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], range[1], range[2])) do
    if redis.call('ZSCORE', KEYS[3], step) then look(step) end
    redis.call('ZREM', KEYS[2], step)
  end
end
for _, range in ipairs({{'-inf', now - tonumber(ARGV[1])}, {'(' .. now + 1000, '+inf'}}) do
  for _, step in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], range[1], range[2])) do look(step) end
end
return out
