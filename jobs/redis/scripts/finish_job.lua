-- Publish the terminal state. KEYS: job, leases, sent, attempts, chunks, outputs, active, ended,
-- webhooks due, totals, prefix of the sets of open jobs. ARGV: fence, job id.
-- Returns 1, also to the claim that has finished the job before; 0 when the claim is lost.
local record = redis.call('HMGET', KEYS[1], 'finished_by', 'fence:assemble', 'state', 'ending')
if record[1] == ARGV[1] then return 1 end
local state, ending = record[3], record[4]
if record[2] ~= ARGV[1] or (state ~= 'finalizing' and state ~= 'cancelling') then return 0 end
local now = now_ms()
-- Revoke all claims, so that a late renewal or release cannot recreate the keys.
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.find(field, '^fence') then redis.call('HDEL', KEYS[1], field) end
end
redis.call('HSET', KEYS[1], 'state', ending, 'at:' .. ending, now, 'finished_by', ARGV[1],
  'chunks_done', redis.call('HLEN', KEYS[6]))
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
redis.call('SREM', KEYS[7], ARGV[2])
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner then redis.call('SREM', KEYS[11] .. owner, ARGV[2]) end
redis.call('HINCRBY', KEYS[10], 'ended:' .. ending, 1)
redis.call('ZADD', KEYS[8], now, ARGV[2])
local options = cjson.decode(redis.call('HGET', KEYS[1], 'options'))
if options['webhook_url'] then redis.call('ZADD', KEYS[9], now, ARGV[2]) end
return 1
