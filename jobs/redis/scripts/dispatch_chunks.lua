-- Shared by the scripts that change chunks. Makes the next chunks within the window due or, when
-- every chunk of a planned job is done, makes the job finalizing.
local function dispatch_chunks(job, sent, parts, window, now)
  local chunks = tonumber(redis.call('HGET', job, 'chunks') or '0')
  local finished = redis.call('HLEN', parts)
  if redis.call('HGET', job, 'planned') == '1' and finished == chunks then
    redis.call('HSET', job, 'state', 'finalizing', 'at:finalizing', now, 'ending', 'completed')
    redis.call('ZADD', sent, now, 'assemble')
    return {1}
  end
  local dispatched = tonumber(redis.call('HGET', job, 'dispatched') or '0')
  local out = {0}
  while dispatched < chunks and dispatched - finished < tonumber(window) do
    redis.call('ZADD', sent, now, 'label/' .. dispatched)
    out[#out + 1] = dispatched
    dispatched = dispatched + 1
  end
  redis.call('HSET', job, 'dispatched', dispatched)
  return out
end
