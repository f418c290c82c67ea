-- Delete a correction. KEYS: corrections. ARGV: row.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'revision', 1) end
