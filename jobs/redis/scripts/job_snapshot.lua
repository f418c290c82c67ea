-- A consistent snapshot of a job. KEYS: job, outputs.
-- Returns the time (ms), the record's fields and values, and the number of outputs. A script and
-- not MULTI, which a Redis whose memory is full refuses even for reads.
return {now_ms(), redis.call('HGETALL', KEYS[1]), redis.call('HLEN', KEYS[2])}
