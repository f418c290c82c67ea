-- queued -> validating, pin the model version once. KEYS: job. ARGV: fence, version, now ms.
if redis.call('HGET', KEYS[1], 'fence:plan') ~= ARGV[1] then return 0 end
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'queued' then
  redis.call('HSET', KEYS[1], 'state', 'validating', 'at:validating', ARGV[3])
elseif state ~= 'validating' and state ~= 'in_progress' then
  return 0
end
redis.call('HSETNX', KEYS[1], 'model_version', ARGV[2])
return redis.call('HGET', KEYS[1], 'model_version')
