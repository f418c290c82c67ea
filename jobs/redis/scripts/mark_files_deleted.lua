-- Note that the files of a job are gone. KEYS: job, corrections, layout, ended, emptied. ARGV: job id.
-- Of a job that was deleted meanwhile nothing is written: half a record would be there for ever.
local ended_at = redis.call('ZSCORE', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3])
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOJOB') end
if ended_at then redis.call('ZADD', KEYS[5], ended_at, ARGV[1]) end
redis.call('HSETNX', KEYS[1], 'files_deleted', now_ms())
return 1
