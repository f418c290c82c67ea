-- Shared by the scripts that change chunks. Makes the next chunks within the window due or, when every
-- chunk of a planned job is done, makes the job finalizing.
local function dispatch_chunks(job, sent, parts, window, now)
  local chunks = tonumber(redis.call('HGET', job, 'chunks') or '0')
  local finished = redis.call('HLEN', parts)
  if redis.call('HGET', job, 'planned') == '1' and finished == chunks then
    redis.call('HSET', job, 'state', 'finalizing', 'at:finalizing', now, 'ending', 'completed')
    redis.call('ZADD', sent, now, 'assemble')
    return {1}
  end
  local handed = tonumber(redis.call('HGET', job, 'handed') or '0')
  local out = {0}
  while handed < chunks and handed - finished < tonumber(window) do
    redis.call('ZADD', sent, now, 'label/' .. handed)
    out[#out + 1] = handed
    handed = handed + 1
  end
  redis.call('HSET', job, 'handed', handed)
  return out
end
