-- queued -> validating, and pin the model once. KEYS: job. ARGV: fence, version, digest.
-- Returns version and digest of the pinned model, or nil when the claim is lost.
if redis.call('HGET', KEYS[1], 'fence:plan') ~= ARGV[1] then return nil end
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'queued' then
  redis.call('HSET', KEYS[1], 'state', 'validating', 'at:validating', now_ms())
elseif state ~= 'validating' and state ~= 'in_progress' then
  return nil
end
if redis.call('HEXISTS', KEYS[1], 'model_version') == 0 then
  redis.call('HSET', KEYS[1], 'model_version', ARGV[2], 'model_digest', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'model_version', 'model_digest')
