-- Record a new job. KEYS: job, sent, active, created, owned. ARGV: id, owner or '', most open jobs or '', now ms, field, value...
-- Returns 0 when the owner has that many jobs under way already.
if ARGV[2] ~= '' then
  if ARGV[3] ~= '' then
    local open = 0
    for _, id in ipairs(redis.call('SMEMBERS', KEYS[3])) do
      if redis.call('ZSCORE', KEYS[5], id) then open = open + 1 end
    end
    if open >= tonumber(ARGV[3]) then return 0 end
  end
  redis.call('ZADD', KEYS[5], ARGV[4], ARGV[1])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('ZADD', KEYS[2], ARGV[4], 'plan')
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
return 1
