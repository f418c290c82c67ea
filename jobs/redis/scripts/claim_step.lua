-- Claim a step. KEYS: job, leases, attempts, outputs, chunks, sent, metrics.
-- ARGV: step, lease ms, bounds of the histogram of waits.
-- Returns {fence, attempt}, or nil when the step is not due, done, or claimed.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return redis.error_reply('NOJOB') end
local step = ARGV[1]
local now = now_ms()
local index = string.match(step, '^label/(%d+)$')
if index then
  if state ~= 'in_progress' then return nil end
  if redis.call('HEXISTS', KEYS[5], index) == 0 then return nil end
  if redis.call('HEXISTS', KEYS[4], index) == 1 then return nil end
elseif step == 'plan' then
  if redis.call('HGET', KEYS[1], 'planned') == '1' then return nil end
  if state ~= 'queued' and state ~= 'validating' and state ~= 'in_progress' then return nil end
else
  if state ~= 'finalizing' and state ~= 'cancelling' then return nil end
end
local lease_end = redis.call('ZSCORE', KEYS[2], step)
-- A lease that is longer than a new one was granted before the clock was put back.
local longest = now + tonumber(ARGV[2]) + 1000
if lease_end and tonumber(lease_end) > now and tonumber(lease_end) <= longest then return nil end
local kind = step_kind(step)
if lease_end then redis.call('HINCRBY', KEYS[7], 'lease_losses:' .. kind, 1) end
if redis.call('HEXISTS', KEYS[3], step) == 1 then
  redis.call('HINCRBY', KEYS[7], 'retries:' .. kind, 1)
end
local sent = redis.call('ZSCORE', KEYS[6], step)
if sent then
  observe_ms(KEYS[7], 'queue_wait:' .. kind, ARGV[3], math.max(0, now - tonumber(sent)))
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
local attempt = redis.call('HINCRBY', KEYS[3], step, 1)
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), step)
redis.call('HSET', KEYS[1], 'fence:' .. step, fence)
return {fence, attempt}
