-- Which steps should be under way but are held by nobody? KEYS: job, leases, sent. ARGV: sent before ms, now ms.
-- Those returned count as sent now, so that the next sweep does not send them again at once.
local out = {}
for _, step in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[1])) do
  local held = redis.call('ZSCORE', KEYS[2], step)
  local due = true
  if string.find(step, '^label/') then
    due = redis.call('HGET', KEYS[1], 'state') == 'in_progress'
  elseif step == 'plan' then
    due = redis.call('HGET', KEYS[1], 'planned') ~= '1'
  end
  if not due then
    redis.call('ZREM', KEYS[3], step)
  elseif not (held and tonumber(held) > tonumber(ARGV[2])) then
    out[#out + 1] = step
    redis.call('ZADD', KEYS[3], ARGV[2], step)
  end
end
return out
