-- Stop labelling and choose the terminal state. KEYS: job, sent. ARGV: ending, failure JSON.
-- Returns 1; 0 when the job was ending or had ended.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return redis.error_reply('NOJOB') end
if state ~= 'queued' and state ~= 'validating' and state ~= 'in_progress' then return 0 end
local via = ARGV[1] == 'cancelled' and 'cancelling' or 'finalizing'
local now = now_ms()
redis.call('HSET', KEYS[1], 'state', via, 'at:' .. via, now, 'ending', ARGV[1])
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'failure', ARGV[2]) end
redis.call('ZADD', KEYS[2], now, 'assemble')
return 1
