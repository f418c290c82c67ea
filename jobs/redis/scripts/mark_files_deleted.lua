-- Record that the files of a job are deleted. KEYS: job, corrections, schema, ended, emptied.
-- ARGV: job id. Writes nothing to a deleted job, because nothing would delete that partial record.
local ended_at = redis.call('ZSCORE', KEYS[4], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3])
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOJOB') end
if ended_at then redis.call('ZADD', KEYS[5], ended_at, ARGV[1]) end
redis.call('HSETNX', KEYS[1], 'files_deleted', now_ms())
return 1
