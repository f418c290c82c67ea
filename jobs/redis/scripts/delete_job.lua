-- Delete an ended job. KEYS: created, ended, emptied, webhooks due, owned, job, then the job's
-- other keys. ARGV: job id. Returns nil, or the state of a job that is not terminal.
local state = redis.call('HGET', KEYS[6], 'state')
if not state then return redis.error_reply('NOJOB') end
if state ~= 'completed' and state ~= 'failed' and state ~= 'cancelled' and state ~= 'expired' then
  return state
end
for i = 1, 5 do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('DEL', unpack(KEYS, 6))
return nil
