-- A consistent page of a list of jobs, newest first. KEYS: list.
-- ARGV: limit, id after which to begin or '', prefix of job keys, suffix of their outputs keys.
-- Returns the time (ms), then for each job its id, its record's fields and values, and its number
-- of outputs; nil when the list does not contain the id.
local first = 0
if ARGV[2] ~= '' then
  local rank = redis.call('ZREVRANK', KEYS[1], ARGV[2])
  if not rank then return nil end
  first = rank + 1
end
local out = {now_ms()}
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], first, first + tonumber(ARGV[1]) - 1)) do
  local key = ARGV[3] .. id
  out[#out + 1] = {id, redis.call('HGETALL', key), redis.call('HLEN', key .. ARGV[4])}
end
return out
