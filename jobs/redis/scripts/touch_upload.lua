-- Record that an upload continues. KEYS: uploads. ARGV: job id, seconds of silence of a lost
-- upload. Returns 0 when it is lost.
local silent = redis.call('ZSCORE', KEYS[1], ARGV[1])
if silent and tonumber(silent) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
return 1
