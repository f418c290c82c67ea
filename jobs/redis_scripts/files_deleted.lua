-- Note that the files of a job are gone. KEYS: job, corrections, ended. ARGV: job id.
-- Of a job that was deleted meanwhile nothing is written: half a record would be there for ever.
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[2])
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('NOJOB') end
redis.call('HSETNX', KEYS[1], 'files_deleted', now_ms())
return 1
