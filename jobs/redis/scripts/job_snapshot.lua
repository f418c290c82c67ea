-- A job as of one moment. KEYS: job, parts. Returns the present time (ms), the record's fields and values, and how many
-- parts it has. A script and not MULTI, which a Redis whose memory is full refuses even for reading.
return {now_ms(), redis.call('HGETALL', KEYS[1]), redis.call('HLEN', KEYS[2])}
