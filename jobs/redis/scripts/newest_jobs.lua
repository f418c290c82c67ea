-- Jobs of a list, newest first, as of one moment. KEYS: list. ARGV: most, id after which to begin or '', what the key of a
-- job begins with, what that of its parts ends with.
-- Returns the present time (ms), then for each job its id, its record's fields and values, and how many parts it has;
-- nil when the list has no such id.
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
