-- Store a correction of a job that has its files. KEYS: job, corrections. ARGV: row, genre.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'files_deleted') == 1 then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'revision', 1)
return 1
