-- Record a new job. KEYS: job, sent, active, created, owned, request, uploads.
-- ARGV: id, owner or '', most open jobs or '', now ms, token of the request or '', its fingerprint, ms for which it is kept,
-- silence at which an upload is lost, field, value...
-- Returns 0 when the owner has that many jobs under way already, -1 when the request's key is not held any more, -2 when
-- the upload is lost.
-- A job that is there already was made by this very call, whose reply was lost.
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
local silent = redis.call('ZSCORE', KEYS[7], ARGV[1])
if silent and tonumber(silent) >= tonumber(ARGV[8]) then return -2 end
if ARGV[5] ~= '' then
  local held = redis.call('HMGET', KEYS[6], 'token', 'job')
  if held[1] ~= ARGV[5] or held[2] then return -1 end
end
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
if ARGV[5] ~= '' then
  redis.call('HSET', KEYS[6], 'job', ARGV[1], 'fingerprint', ARGV[6])
  redis.call('PEXPIRE', KEYS[6], ARGV[7])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 9))
redis.call('ZADD', KEYS[2], ARGV[4], 'plan')
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
return 1
